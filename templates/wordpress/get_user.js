// Action script `get_user` for WordPress: who has this address or user name, without a password.
// It must give the same profile as login.js.
function getByEmail(email, callback) {
  const mysql = require('mysql2');

  // A table's name cannot be a parameter, so it must be plain letters.
  const prefix = configuration.TABLE_PREFIX || 'wp_';
  if (!/^[A-Za-z0-9_]+$/.test(prefix)) return callback(new Error('TABLE_PREFIX is no prefix'));
  // The second condition is exact: MySQL's usual collations find `jose` where `josé` is asked for.
  const query = `
    SELECT u.ID, u.user_login, u.user_email, u.display_name, u.user_registered,
           first.meta_value AS first_name, last.meta_value AS last_name,
           locale.meta_value AS locale, roles.meta_value AS capabilities
      FROM ${prefix}users u
      LEFT JOIN ${prefix}usermeta first ON first.user_id = u.ID AND first.meta_key = 'first_name'
      LEFT JOIN ${prefix}usermeta last ON last.user_id = u.ID AND last.meta_key = 'last_name'
      LEFT JOIN ${prefix}usermeta locale ON locale.user_id = u.ID AND locale.meta_key = 'locale'
      LEFT JOIN ${prefix}usermeta roles
             ON roles.user_id = u.ID AND roles.meta_key = '${prefix}capabilities'
     WHERE (u.user_login = ? OR u.user_email = ?)
       AND lower(?) COLLATE utf8mb4_bin IN
           (lower(convert(u.user_login using utf8mb4)), lower(convert(u.user_email using utf8mb4)))
     ORDER BY CASE WHEN u.user_login = ? THEN 0 ELSE 1 END, u.ID
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
    // Roles are serialised PHP: a:1:{s:10:"subscriber";b:1;}
    const roles = Array.from((user.capabilities || '').matchAll(/"([^"]+)";b:1/g), (found) => found[1]);
    return {
      user_id: `${configuration.USER_ID_PREFIX || 'wordpress'}-${user.ID}`,
      email: user.user_email || undefined,
      // WordPress sends the first password by mail unless a plugin says otherwise.
      email_verified: configuration.EMAILS_ARE_VERIFIED === 'true',
      username: user.user_login,
      nickname: user.display_name || user.user_login,
      given_name: user.first_name || undefined,
      family_name: user.last_name || undefined,
      name: [user.first_name, user.last_name].filter(Boolean).join(' ') || user.display_name,
      user_metadata: user.locale ? { locale: user.locale } : {},
      app_metadata: { wordpress_id: Number(user.ID), roles, registered: user.user_registered },
    };
  }

  pool().execute(query, Array(4).fill(email), (queryError, rows) => {
    if (queryError) return callback(queryError);
    callback(null, rows[0] ? profile(rows[0]) : null);
  });
}
