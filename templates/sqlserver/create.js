// Action script `create`: adds a user. New passwords are kept as bcrypt.
function create(user, callback) {
  const bcrypt = require('bcrypt');
  const sql = require('mssql');

  // An address that is taken inserts nothing, whoever else is adding it at this moment.
  const query = `
    INSERT INTO users (email, username, password_hash, email_verified)
    SELECT @email, @username, @hash, 0
     WHERE NOT EXISTS (SELECT 1 FROM users WITH (UPDLOCK, HOLDLOCK) WHERE email = @email)`;

  // The same pool as in login.js.
  function connected(done) {
    if (!global.pool) {
      const pool = new sql.ConnectionPool(configuration.DATABASE_URL);
      pool.on('error', () => {});
      global.pool = pool.connect();
    }
    global.pool.then((pool) => done(null, pool), (error) => {
      global.pool = null;
      done(error);
    });
  }

  bcrypt.hash(user.password, 10, (hashError, hash) => {
    if (hashError) return callback(hashError);
    connected((connectError, pool) => {
      if (connectError) return callback(connectError);
      const request = pool.request()
        .input('email', sql.NVarChar, user.email)
        .input('username', sql.NVarChar, user.username || null)
        .input('hash', sql.NVarChar, hash);
      request.query(query, (queryError, result) => {
        if (queryError) return callback(queryError);
        if (result.rowsAffected[0] === 0) {
          return callback(new ValidationError('user_exists', 'The user already exists.'));
        }
        callback(null);
      });
    });
  });
}
