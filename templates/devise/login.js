// Action script `login` for Rails with Devise on PostgreSQL: bcrypt of the password and the pepper.
function login(userNameOrEmail, password, callback) {
  const { verify } = require('ferry/password');
  const { Pool } = require('pg');

  // The columns of Devise's generators; `confirmed_at` is there with :confirmable, `locked_at` with
  // :lockable. Take out what the table has not got.
  const query = `
    SELECT id, email, encrypted_password, confirmed_at, locked_at, created_at
      FROM users
     WHERE lower(email) = lower($1)
     ORDER BY id
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
      user_id: `${configuration.USER_ID_PREFIX || 'devise'}-${user.id}`,
      email: user.email,
      email_verified: Boolean(user.confirmed_at),
      name: user.email,
      blocked: Boolean(user.locked_at),
      app_metadata: { devise_id: String(user.id), created_at: user.created_at },
    };
  }

  pool().query(query, [userNameOrEmail], (queryError, result) => {
    if (queryError) return callback(queryError);
    const user = result.rows[0];
    if (!user) return callback(null);
    // `config.pepper` of config/initializers/devise.rb, if there is one.
    const options = configuration.PEPPER ? { pepper: configuration.PEPPER } : {};
    verify(password, user.encrypted_password || '', options).then((isRight) => {
      if (!isRight) return callback(new WrongUsernameOrPasswordError(userNameOrEmail));
      callback(null, profile(user));
    }, callback);
  });
}
