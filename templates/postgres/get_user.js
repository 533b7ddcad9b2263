// Action script `get_user` for users in a PostgreSQL table: who has this address, without a password.
// It must give the same profile as login.js.
function getByEmail(email, callback) {
  const { Pool } = require('pg');

  const query = `
    SELECT id, email, username, email_verified,
           given_name, family_name, created_at
      FROM users
     WHERE lower(email) = lower($1) OR username = $1
     ORDER BY CASE WHEN lower(email) = lower($1) THEN 0 ELSE 1 END, id
     LIMIT 1`;

  // The same pool as in login.js.
  function pool() {
    if (!global.pool) {
      global.pool = new Pool({
        connectionString: configuration.DATABASE_URL,
        ssl: configuration.DATABASE_CA ? { ca: configuration.DATABASE_CA } : undefined,
        max: 1,
        connectionTimeoutMillis: 5000,
        query_timeout: 5000,
      });
      global.pool.on('error', () => {});
    }
    return global.pool;
  }

  function profile(user) {
    return {
      user_id: `${configuration.USER_ID_PREFIX || 'postgres'}-${user.id}`,
      email: user.email,
      email_verified: user.email_verified === true,
      username: user.username || undefined,
      given_name: user.given_name || undefined,
      family_name: user.family_name || undefined,
      name: [user.given_name, user.family_name].filter(Boolean).join(' ') || user.email,
      app_metadata: { legacy_id: String(user.id), legacy_created_at: user.created_at },
    };
  }

  pool().query(query, [email], (queryError, result) => {
    if (queryError) return callback(queryError);
    callback(null, result.rows[0] ? profile(result.rows[0]) : null);
  });
}
