// Action script `get_user` for ASP.NET Identity on SQL Server: who has this address or user name,
// without a password. It must give the same profile as login.js.
function getByEmail(email, callback) {
  const sql = require('mssql');

  const query = `
    SELECT TOP (1) Id, UserName, Email, EmailConfirmed, PhoneNumber, PhoneNumberConfirmed
      FROM AspNetUsers
     WHERE Email = @name OR UserName = @name
     ORDER BY CASE WHEN Email = @name THEN 0 ELSE 1 END, Id`;

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

  function profile(user) {
    return {
      user_id: `${configuration.USER_ID_PREFIX || 'aspnet'}-${user.Id}`,
      email: user.Email || undefined,
      email_verified: Boolean(user.EmailConfirmed),
      username: user.UserName || undefined,
      name: user.UserName || user.Email,
      phone_number: user.PhoneNumber || undefined,
      phone_verified: Boolean(user.PhoneNumber && user.PhoneNumberConfirmed),
      app_metadata: { aspnet_id: String(user.Id) },
    };
  }

  connected((connectError, pool) => {
    if (connectError) return callback(connectError);
    pool.request().input('name', sql.NVarChar, email).query(query, (queryError, result) => {
      if (queryError) return callback(queryError);
      callback(null, result.recordset[0] ? profile(result.recordset[0]) : null);
    });
  });
}
