// Action script `delete`: removes a user. `id` is what the profile calls `user_id`.
function deleteUser(id, callback) {
  const sql = require('mssql');

  const query = 'DELETE FROM users WHERE CAST(id AS nvarchar(100)) = @key';

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

  const prefix = `${configuration.USER_ID_PREFIX || 'sqlserver'}-`;
  if (!id.startsWith(prefix)) return callback(new Error('this user is not of this store'));
  connected((connectError, pool) => {
    if (connectError) return callback(connectError);
    const request = pool.request()
      .input('key', sql.NVarChar, id.slice(prefix.length));
    request.query(query, (queryError, result) => {
      if (queryError) return callback(queryError);
      callback(null);
    });
  });
}
