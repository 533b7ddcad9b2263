// Action script `change_password`: sets a password, kept as bcrypt.
function changePassword(email, newPassword, callback) {
  const bcrypt = require('bcrypt');
  const sql = require('mssql');

  const query = 'UPDATE users SET password_hash = @hash WHERE email = @email';

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

  bcrypt.hash(newPassword, 10, (hashError, hash) => {
    if (hashError) return callback(hashError);
    connected((connectError, pool) => {
      if (connectError) return callback(connectError);
      const request = pool.request()
        .input('hash', sql.NVarChar, hash)
        .input('email', sql.NVarChar, email);
      request.query(query, (queryError, result) => {
        if (queryError) return callback(queryError);
        callback(null, result.rowsAffected[0] > 0);
      });
    });
  });
}
