// Action script `delete`: removes a user. `id` is what the profile calls `user_id`.
function deleteUser(id, callback) {
  const { Pool } = require('pg');

  const query = 'DELETE FROM users WHERE id::text = $1';

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

  const prefix = `${configuration.USER_ID_PREFIX || 'postgres'}-`;
  if (!id.startsWith(prefix)) return callback(new Error('this user is not of this store'));
  const key = id.slice(prefix.length);
  pool().query(query, [key], (queryError, result) => {
    if (queryError) return callback(queryError);
    callback(null);
  });
}
