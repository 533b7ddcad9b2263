// Action script `login` for users in a SQL Server or Azure SQL table. The query is the place to
// adapt: give the table's own names, and keep what stands behind AS.
function login(userNameOrEmail, password, callback) {
  const { verify } = require('ferry/password');
  const sql = require('mssql');

  const query = `
    SELECT TOP (1) id, email, username, password_hash AS password, email_verified, given_name, family_name, created_at
      FROM users
     WHERE email = @name OR username = @name
     ORDER BY CASE WHEN email = @name THEN 0 ELSE 1 END, id`;

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
      user_id: `${configuration.USER_ID_PREFIX || 'sqlserver'}-${user.id}`,
      email: user.email,
      email_verified: user.email_verified === true,
      username: user.username || undefined,
      given_name: user.given_name || undefined,
      family_name: user.family_name || undefined,
      name: [user.given_name, user.family_name].filter(Boolean).join(' ') || user.email,
      app_metadata: { legacy_id: String(user.id), legacy_created_at: user.created_at },
    };
  }

  connected((connectError, pool) => {
    if (connectError) return callback(connectError);
    pool.request().input('name', sql.NVarChar, userNameOrEmail).query(query, (queryError, result) => {
      if (queryError) return callback(queryError);
      const user = result.recordset[0];
      if (!user) return callback(null);
      // What the hashes do not say themselves, such as a pepper: docs/starters.md.
      const options = JSON.parse(configuration.PASSWORD_OPTIONS || '{}');
      verify(password, user.password || '', options).then((isRight) => {
        if (!isRight) return callback(new WrongUsernameOrPasswordError(userNameOrEmail));
        callback(null, profile(user));
      }, callback);
    });
  });
}
