// Action script `get_user` for a Django store on PostgreSQL: who has this address, without a
// password. Called before somebody signs up, asks for a password reset, or is created by hand.
// It must give the same `user_id` as login.js.
function getByEmail(email, callback) {
  const { Client } = require('pg');

  // Of several rows with one address, the oldest stands for it, as in login.js.
  const query = `
    SELECT u.id, u.username, u.email, u.first_name, u.last_name,
           u.is_active, u.is_staff, u.date_joined,
           p.email_verified, p.locale, p.plan, p.newsletter
      FROM auth_user u LEFT JOIN accounts_profile p ON p.user_id = u.id
     WHERE lower(u.email) = lower($1) OR u.username = $1
     ORDER BY u.id
     LIMIT 1`;

  function profile(user) {
    return {
      user_id: String(user.id), // never changes, unlike the address and the user name
      email: user.email || undefined, // Django keeps a missing address as an empty one
      email_verified: user.email_verified === true,
      username: user.username,
      given_name: user.first_name,
      family_name: user.last_name,
      name: `${user.first_name} ${user.last_name}`.trim(),
      blocked: !user.is_active,
      user_metadata: { locale: user.locale, newsletter: user.newsletter },
      app_metadata: {
        django_id: Number(user.id),
        is_staff: user.is_staff,
        plan: user.plan,
        date_joined: user.date_joined.toISOString(),
      },
    };
  }

  const client = new Client({
    connectionString: configuration.LEGACY_DATABASE_URL,
    connectionTimeoutMillis: 5000,
    query_timeout: 5000,
  });
  client.on('error', () => {}); // the query's own callback reports a broken connection
  client.connect((connectError) => {
    if (connectError) return callback(connectError);
    client.query(query, [email], (queryError, result) => {
      client.end();
      if (queryError) return callback(queryError);
      callback(null, result.rows.length ? profile(result.rows[0]) : null);
    });
  });
}
