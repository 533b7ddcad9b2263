// Action script `get_user` for a web service: GET /users-by-email/ADDRESS with the service's account.
// 404 means nobody. It must give the same profile as login.js.
function getByEmail(email, callback) {
  function profile(user) {
    return {
      user_id: `${configuration.USER_ID_PREFIX || 'http'}-${user.id}`,
      email: user.email,
      email_verified: user.email_verified === true,
      username: user.username,
      given_name: user.given_name,
      family_name: user.family_name,
      name: [user.given_name, user.family_name].filter(Boolean).join(' ') || user.email,
      app_metadata: { legacy_id: String(user.id) },
    };
  }

  const account = `${configuration.SERVICE_USER}:${configuration.SERVICE_PASSWORD}`;
  const authorization = `Basic ${Buffer.from(account).toString('base64')}`;

  fetch(`${configuration.BASE_URL}/users-by-email/${encodeURIComponent(email)}`, {
    headers: { authorization, accept: 'application/json' },
    redirect: 'error',
  }).then((response) => {
    if (response.status === 404) return callback(null);
    if (!response.ok) return callback(new Error(`the web service answered ${response.status}`));
    return response.json().then((user) => callback(null, profile(user)));
  }).catch(callback);
}
