// Action script `get_user` for users in a SQL Server table: who has this address,
// without a password. It must give the same profile as login.js.
function getByEmail(email, callback) {
  const sql = require('mssql');

  const query = `
    SELECT TOP (1) id, email, username, email_verified, given_name, family_name, created_at
      FROM users
     WHERE email = @name OR username = @name
     ORDER BY CASE WHEN email = @name THEN 0 ELSE 1 END, id`;

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
    pool.request().input('name', sql.NVarChar, email).query(query, (queryError, result) => {
      if (queryError) return callback(queryError);
      callback(null, result.recordset[0] ? profile(result.recordset[0]) : null);
    });
  });
}
