// Action script `login` for a Django store on PostgreSQL (any Django with its default hasher).
//
// Called when a password is typed that the new store does not know yet. Settings it reads from the
// connection's `configuration`: LEGACY_DATABASE_URL, for instance postgres://reader:…@host/shop
function login(userNameOrEmail, password, callback) {
  const crypto = require('crypto');
  const { Client } = require('pg');

  const query = `
    SELECT u.id, u.username, u.email, u.password, u.first_name, u.last_name,
           u.is_active, u.is_staff, u.date_joined,
           p.email_verified, p.locale, p.plan, p.newsletter
      FROM auth_user u LEFT JOIN accounts_profile p ON p.user_id = u.id
     WHERE lower(u.email) = lower($1) OR u.username = $1
     ORDER BY u.id`;

  // Django stores `pbkdf2_sha256$iterations$salt$base64`. Anything else (an unusable password
  // begins with `!`) matches nothing. The salt is used as text, not decoded.
  function verify(stored, done) {
    const [algorithm, iterations, salt, digest] = stored.split('$');
    if (algorithm !== 'pbkdf2_sha256' || !digest) return done(null, false);
    const expected = Buffer.from(digest, 'base64');
    crypto.pbkdf2(password, salt, Number(iterations), expected.length, 'sha256', (err, actual) => {
      if (err) return done(err);
      done(null, crypto.timingSafeEqual(actual, expected));
    });
  }

  // Django does not ask for unique addresses: try each row that bears this one, oldest first.
  function firstMatch(rows, done) {
    if (rows.length === 0) return done(null, null);
    verify(rows[0].password, (err, matches) => {
      if (err || matches) return done(err, rows[0]);
      firstMatch(rows.slice(1), done);
    });
  }

  function profile(user) {
    return {
      user_id: String(user.id), // never changes, unlike the address and the user name
      email: user.email || undefined, // Django keeps a missing address as an empty one
      email_verified: user.email_verified === true,
      username: user.username,
      given_name: user.first_name,
      family_name: user.last_name,
      name: `${user.first_name} ${user.last_name}`.trim(),
      // Who may not log in to Django may not log in here either, and an administrator sees why.
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
    client.query(query, [userNameOrEmail], (queryError, result) => {
      client.end();
      if (queryError) return callback(queryError);
      firstMatch(result.rows, (verifyError, user) => {
        if (verifyError) return callback(verifyError);
        if (!user) return callback(new WrongUsernameOrPasswordError(userNameOrEmail));
        callback(null, profile(user));
      });
    });
  });
}
