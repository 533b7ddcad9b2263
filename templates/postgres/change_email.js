// Action script `change_email`: moves a user to another address.
function changeEmail(email, newEmail, verified, callback) {
  const { Pool } = require('pg');

  const query = 'UPDATE users SET email = $1, email_verified = $2 WHERE lower(email) = lower($3)';

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

  pool().query(query, [newEmail, verified === true, email], (queryError, result) => {
    if (queryError) return callback(queryError);
    callback(null, result.rowCount > 0);
  });
}
