// Action script `login` for users in a MySQL or MariaDB table. The query is the place to adapt: give the
// table's own names, and keep what stands behind AS. MySQL's usual collations
// find `jose` where `josé` is asked for, hence the second, exact comparison beside the indexed one.
function login(userNameOrEmail, password, callback) {
  const { verify } = require('ferry/password');
  const mysql = require('mysql2');

  const query = `
    SELECT id, email, username, password_hash AS password, email_verified,
           given_name, family_name, created_at
      FROM users
     WHERE email = ? AND lower(convert(email using utf8mb4)) COLLATE utf8mb4_bin = lower(?)
        OR username = ? AND lower(convert(username using utf8mb4)) COLLATE utf8mb4_bin = lower(?)
     ORDER BY CASE WHEN email = ? THEN 0 ELSE 1 END, id
     LIMIT 1`;

  // One pool per worker, which takes one call at a time. Without a handler, a connection that
  // breaks while nobody uses it would end the worker.
  function pool() {
    if (!global.pool) {
      global.pool = mysql.createPool({
        uri: configuration.DATABASE_URL,
        ssl: configuration.DATABASE_CA ? { ca: configuration.DATABASE_CA, verifyIdentity: true } : undefined,
        connectionLimit: 1,
        connectTimeout: 5000,
      });
      global.pool.on('connection', (connection) => connection.on('error', () => {}));
    }
    return global.pool;
  }

  function profile(user) {
    return {
      user_id: `${configuration.USER_ID_PREFIX || 'mysql'}-${user.id}`,
      email: user.email,
      email_verified: Boolean(user.email_verified),
      username: user.username || undefined,
      given_name: user.given_name || undefined,
      family_name: user.family_name || undefined,
      name: [user.given_name, user.family_name].filter(Boolean).join(' ') || user.email,
      app_metadata: { legacy_id: String(user.id), legacy_created_at: user.created_at },
    };
  }

  pool().execute(query, Array(5).fill(userNameOrEmail), (queryError, rows) => {
    if (queryError) return callback(queryError);
    const user = rows[0];
    if (!user) return callback(null);
    // What the hashes do not say themselves, such as a pepper: docs/starters.md.
    const options = JSON.parse(configuration.PASSWORD_OPTIONS || '{}');
    verify(password, user.password || '', options).then((isRight) => {
      if (!isRight) return callback(new WrongUsernameOrPasswordError(userNameOrEmail));
      callback(null, profile(user));
    }, callback);
  });
}
