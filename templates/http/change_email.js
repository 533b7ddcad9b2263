// Action script `change_email`: moves a user to another address.
function changeEmail(email, newEmail, verified, callback) {
  const account = `${configuration.SERVICE_USER}:${configuration.SERVICE_PASSWORD}`;
  const authorization = `Basic ${Buffer.from(account).toString('base64')}`;

  fetch(`${configuration.BASE_URL}/users-by-email/${encodeURIComponent(email)}`, {
    method: 'PATCH',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify({ email: newEmail, email_verified: verified === true }),
    redirect: 'error',
  }).then((response) => {
    if (response.status === 404) return callback(null, false);
    if (!response.ok) return callback(new Error(`the web service answered ${response.status}`));
    callback(null, true);
  }).catch(callback);
}
