// Action script `change_password`: sets a password, kept as bcrypt.
function changePassword(email, newPassword, callback) {
  const bcrypt = require('bcrypt');
  const mysql = require('mysql2');

  const query = `
    UPDATE users SET password_hash = ?
     WHERE email = ?
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

  bcrypt.hash(newPassword, 10, (hashError, hash) => {
    if (hashError) return callback(hashError);
    pool().execute(query, [hash, email, email], (queryError, result) => {
      if (queryError) return callback(queryError);
      callback(null, result.affectedRows > 0);
    });
  });
}
