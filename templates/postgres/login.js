// Action script `login` for users in a PostgreSQL table. The query is the place to adapt: give the
// table's own names, and keep what stands behind AS.
function login(userNameOrEmail, password, callback) {
  const { verify } = require('ferry/password');
  const { Pool } = require('pg');

  const query = `
    SELECT id, email, username, password_hash AS password, email_verified,
           given_name, family_name, created_at
      FROM users
     WHERE lower(email) = lower($1) OR username = $1
     ORDER BY CASE WHEN lower(email) = lower($1) THEN 0 ELSE 1 END, id
     LIMIT 1`;

  // One pool per worker, which takes one call at a time. Without a handler, a connection that
  // breaks while nobody uses it would end the worker.
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

  pool().query(query, [userNameOrEmail], (queryError, result) => {
    if (queryError) return callback(queryError);
    const user = result.rows[0];
    if (!user) return callback(null);
    // What the hashes do not say themselves, such as a pepper: docs/starters.md.
    const options = JSON.parse(configuration.PASSWORD_OPTIONS || '{}');
    verify(password, user.password || '', options).then((isRight) => {
      if (!isRight) return callback(new WrongUsernameOrPasswordError(userNameOrEmail));
      callback(null, profile(user));
    }, callback);
  });
}
