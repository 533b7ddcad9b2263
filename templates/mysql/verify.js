// Action script `verify`: the address was proven.
function verify(email, callback) {
  const mysql = require('mysql2');

  const query = `
    UPDATE users SET email_verified = true
     WHERE NOT email_verified AND email = ?
       AND lower(convert(email using utf8mb4)) COLLATE utf8mb4_bin = lower(?)`;

  // The same pool as in login.js.
  function pool() {
    if (!global.pool) {
      global.pool = mysql.createPool({
        uri: configuration.DATABASE_URL,
        ssl: configuration.DATABASE_CA ? { ca: configuration.DATABASE_CA, verifyIdentity: true } : undefined,
        connectionLimit: 1,
        connectTimeout: 5000,
      });
      global.pool.on('connection', (connection) => connection.on('error', () => {}));
    }
    return global.pool;
  }

  pool().execute(query, [email, email], (queryError, result) => {
    if (queryError) return callback(queryError);
    callback(null, result.affectedRows > 0);
  });
}
