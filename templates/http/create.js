// Action script `create`: adds a user. 409 means that the address is taken.
function create(user, callback) {
  const account = `${configuration.SERVICE_USER}:${configuration.SERVICE_PASSWORD}`;
  const authorization = `Basic ${Buffer.from(account).toString('base64')}`;

  fetch(`${configuration.BASE_URL}/users`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify({ email: user.email, username: user.username, password: user.password }),
    redirect: 'error',
  }).then((response) => {
    if (response.status === 409) {
      return callback(new ValidationError('user_exists', 'The user already exists.'));
    }
    if (!response.ok) return callback(new Error(`the web service answered ${response.status}`));
    callback(null);
  }).catch(callback);
}
