// Action script `get_user` for Rails with Devise on PostgreSQL: who has this address, without a
// password. It must give the same profile as login.js.
function getByEmail(email, callback) {
  const { Pool } = require('pg');

  // The columns of Devise's generators; `confirmed_at` is there with :confirmable, `locked_at` with
  // :lockable. Take out what the table has not got.
  const query = `
    SELECT id, email, confirmed_at, locked_at, created_at
      FROM users
     WHERE lower(email) = lower($1)
     ORDER BY id
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
      user_id: `${configuration.USER_ID_PREFIX || 'devise'}-${user.id}`,
      email: user.email,
      email_verified: Boolean(user.confirmed_at),
      name: user.email,
      blocked: Boolean(user.locked_at),
      app_metadata: { devise_id: String(user.id), created_at: user.created_at },
    };
  }

  pool().query(query, [email], (queryError, result) => {
    if (queryError) return callback(queryError);
    callback(null, result.rows[0] ? profile(result.rows[0]) : null);
  });
}
