// Action script `login` for a Django store on PostgreSQL: every hasher Django ships (PBKDF2, Argon2,
// bcrypt, scrypt, and the salted and bare sums of its first versions).
function login(userNameOrEmail, password, callback) {
  const { verify } = require('ferry/password');
  const { Pool } = require('pg');

  const query = `
    SELECT id, username, email, password, first_name, last_name, is_active, is_staff, date_joined
      FROM auth_user
     WHERE lower(email) = lower($1) OR username = $1
     ORDER BY CASE WHEN lower(email) = lower($1) THEN 0 ELSE 1 END, id
     LIMIT 5`;

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

  // Django does not ask for unique addresses: try each row that bears this one, oldest first.
  function firstMatch(rows, index) {
    const user = rows[index];
    if (!user) return callback(new WrongUsernameOrPasswordError(userNameOrEmail));
    verify(password, user.password || '', { algorithm: 'django' }).then((isRight) => {
      if (!isRight) return firstMatch(rows, index + 1);
      callback(null, profile(user));
    }, callback);
  }

  pool().query(query, [userNameOrEmail], (queryError, result) => {
    if (queryError) return callback(queryError);
    if (result.rows.length === 0) return callback(null);
    firstMatch(result.rows, 0);
  });
}
