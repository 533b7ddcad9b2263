// Action script `create`: adds a user. New passwords are kept as bcrypt.
function create(user, callback) {
  const bcrypt = require('bcrypt');
  const { Pool } = require('pg');

  // An address that is taken inserts nothing, whoever else is adding it at this moment.
  const query = `
    INSERT INTO users (email, username, password_hash, email_verified)
    SELECT $1::text, $2::text, $3::text, false
     WHERE NOT EXISTS (SELECT FROM users WHERE lower(email) = lower($1))
    ON CONFLICT DO NOTHING`;

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

  bcrypt.hash(user.password, 10, (hashError, hash) => {
    if (hashError) return callback(hashError);
    pool().query(query, [user.email, user.username || null, hash], (queryError, result) => {
      if (queryError) return callback(queryError);
      if (result.rowCount === 0) {
        return callback(new ValidationError('user_exists', 'The user already exists.'));
      }
      callback(null);
    });
  });
}
