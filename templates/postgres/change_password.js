// Action script `change_password`: sets a password, kept as bcrypt.
function changePassword(email, newPassword, callback) {
  const bcrypt = require('bcrypt');
  const { Pool } = require('pg');

  const query = 'UPDATE users SET password_hash = $1 WHERE lower(email) = lower($2)';

  // The same pool as in login.js.
  function pool() {
    if (!global.pool) {
      global.pool = new Pool({
        connectionString: configuration.DATABASE_URL,
        ssl: configuration.DATABASE_CA ? { ca: configuration.DATABASE_CA } : undefined,
        max: 1,
        connectionTimeoutMillis: 5000,
        query_timeout: 5000,
      });
      global.pool.on('error', () => {});
    }
    return global.pool;
  }

  bcrypt.hash(newPassword, 10, (hashError, hash) => {
    if (hashError) return callback(hashError);
    pool().query(query, [hash, email], (queryError, result) => {
      if (queryError) return callback(queryError);
      callback(null, result.rowCount > 0);
    });
  });
}
