// Action script `change_email`: moves a user to another address.
function changeEmail(email, newEmail, verified, callback) {
  const sql = require('mssql');

  const query = 'UPDATE users SET email = @new, email_verified = @verified WHERE email = @email';

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

  connected((connectError, pool) => {
    if (connectError) return callback(connectError);
    const request = pool.request()
      .input('new', sql.NVarChar, newEmail)
      .input('verified', sql.Bit, verified === true)
      .input('email', sql.NVarChar, email);
    request.query(query, (queryError, result) => {
      if (queryError) return callback(queryError);
      callback(null, result.rowsAffected[0] > 0);
    });
  });
}
