// Action script `delete`: removes a user. `id` is what the profile calls `user_id`.
function deleteUser(id, callback) {
  const mysql = require('mysql2');

  const query = 'DELETE FROM users WHERE id = ?';

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

  const prefix = `${configuration.USER_ID_PREFIX || 'mysql'}-`;
  if (!id.startsWith(prefix)) return callback(new Error('this user is not of this store'));
  const key = id.slice(prefix.length);
  pool().execute(query, [key], (queryError, result) => {
    if (queryError) return callback(queryError);
    callback(null);
  });
}
