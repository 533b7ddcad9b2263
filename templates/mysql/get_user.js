// Action script `get_user` for users in a MySQL or MariaDB table: who has this address, without a password.
// It must give the same profile as login.js.
function getByEmail(email, callback) {
  const mysql = require('mysql2');

  const query = `
    SELECT id, email, username, email_verified,
           given_name, family_name, created_at
      FROM users
     WHERE email = ? AND lower(convert(email using utf8mb4)) COLLATE utf8mb4_bin = lower(?)
        OR username = ? AND lower(convert(username using utf8mb4)) COLLATE utf8mb4_bin = lower(?)
     ORDER BY CASE WHEN email = ? THEN 0 ELSE 1 END, id
     LIMIT 1`;

  // The same pool as in login.js.
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

  pool().execute(query, Array(5).fill(email), (queryError, rows) => {
    if (queryError) return callback(queryError);
    callback(null, rows[0] ? profile(rows[0]) : null);
  });
}
