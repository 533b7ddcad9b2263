// Action script `login` for ASP.NET Identity (Core, and the older one on Entity Framework 6) on
// SQL Server. The hashes say themselves whether they are of version 2 or 3.
function login(userNameOrEmail, password, callback) {
  const { verify } = require('ferry/password');
  const sql = require('mssql');

  const query = `
    SELECT TOP (1) Id, UserName, Email, EmailConfirmed, PasswordHash, PhoneNumber, PhoneNumberConfirmed
      FROM AspNetUsers
     WHERE Email = @name OR UserName = @name
     ORDER BY CASE WHEN Email = @name THEN 0 ELSE 1 END, Id`;

  // One pool per worker. A pool that never connected is not kept, so that the next call tries again.
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
    pool.request().input('name', sql.NVarChar, userNameOrEmail).query(query, (queryError, result) => {
      if (queryError) return callback(queryError);
      const user = result.recordset[0];
      if (!user) return callback(null);
      // Who signs in elsewhere only has no hash, and so no right password.
      verify(password, user.PasswordHash || '', {}).then((isRight) => {
        if (!isRight) return callback(new WrongUsernameOrPasswordError(userNameOrEmail));
        callback(null, profile(user));
      }, callback);
    });
  });
}
