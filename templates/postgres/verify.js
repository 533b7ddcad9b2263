// Action script `verify`: the address was proven.
function verify(email, callback) {
  const { Pool } = require('pg');

  const query = 'UPDATE users SET email_verified = true WHERE lower(email) = lower($1) AND NOT email_verified';

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

  pool().query(query, [email], (queryError, result) => {
    if (queryError) return callback(queryError);
    callback(null, result.rowCount > 0);
  });
}
