// Action script `get_user` for a Django store on PostgreSQL: who has this address, without a password.
// Of several rows with one address, the oldest stands for it. The profile is that of login.js.
function getByEmail(email, callback) {
  const { Pool } = require('pg');

  const query = `
    SELECT id, username, email, first_name, last_name, is_active, is_staff, date_joined
      FROM auth_user
     WHERE lower(email) = lower($1) OR username = $1
     ORDER BY CASE WHEN lower(email) = lower($1) THEN 0 ELSE 1 END, id
     LIMIT 5`;

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
      user_id: `${configuration.USER_ID_PREFIX || 'django'}-${user.id}`,
      email: user.email || undefined, // Django keeps a missing address as an empty one
      // Django itself does not prove addresses; django-allauth does, in account_emailaddress.
      email_verified: configuration.EMAILS_ARE_VERIFIED === 'true',
      username: user.username,
      given_name: user.first_name || undefined,
      family_name: user.last_name || undefined,
      name: `${user.first_name} ${user.last_name}`.trim() || user.username,
      // Who may not log in to Django may not log in here either, and an administrator sees why.
      blocked: !user.is_active,
      app_metadata: {
        django_id: Number(user.id),
        is_staff: user.is_staff,
        date_joined: user.date_joined.toISOString(),
      },
    };
  }

  pool().query(query, [email], (queryError, result) => {
    if (queryError) return callback(queryError);
    callback(null, result.rows[0] ? profile(result.rows[0]) : null);
  });
}
