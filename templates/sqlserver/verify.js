// Action script `verify`: the address was proven.
function verify(email, callback) {
  const sql = require('mssql');

  const query = 'UPDATE users SET email_verified = 1 WHERE email = @email AND email_verified = 0';

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
      .input('email', sql.NVarChar, email);
    request.query(query, (queryError, result) => {
      if (queryError) return callback(queryError);
      callback(null, result.rowsAffected[0] > 0);
    });
  });
}
