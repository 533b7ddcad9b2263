// Action script `create`: adds a user. New passwords are kept as bcrypt.
function create(user, callback) {
  const bcrypt = require('bcrypt');
  const mysql = require('mysql2');

  // An address that is taken inserts nothing; a unique index refuses what comes in between.
  const query = `
    INSERT INTO users (email, username, password_hash, email_verified)
    SELECT ?, ?, ?, false FROM (SELECT 1) AS once
     WHERE NOT EXISTS (SELECT 1 FROM users WHERE email = ?)`;

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

  bcrypt.hash(user.password, 10, (hashError, hash) => {
    if (hashError) return callback(hashError);
    pool().execute(query, [user.email, user.username || null, hash, user.email], (queryError, result) => {
      if (queryError && queryError.code !== 'ER_DUP_ENTRY') return callback(queryError);
      if (queryError || result.affectedRows === 0) {
        return callback(new ValidationError('user_exists', 'The user already exists.'));
      }
      callback(null);
    });
  });
}
