// Action script `login` for a web service that takes a person's own credentials: GET /profile with
// basic authentication. 401 means a wrong password, 404 nobody; any other answer is a failure.
function login(userNameOrEmail, password, callback) {
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

  // A colon ends the name in basic authentication, so no name with one can be sent: it is nobody's.
  if (userNameOrEmail.includes(':')) return callback(null);
  const credentials = Buffer.from(`${userNameOrEmail}:${password}`).toString('base64');

  fetch(`${configuration.BASE_URL}/profile`, {
    headers: { authorization: `Basic ${credentials}`, accept: 'application/json' },
    redirect: 'error', // credentials go where they were meant to
  }).then((response) => {
    if (response.status === 404) return callback(null);
    if (response.status === 401) return callback(new WrongUsernameOrPasswordError(userNameOrEmail));
    if (!response.ok) return callback(new Error(`the web service answered ${response.status}`));
    return response.json().then((user) => callback(null, profile(user)));
  }).catch(callback);
}
