// Action script `delete`: removes a user. `id` is what the profile calls `user_id`.
function deleteUser(id, callback) {
  const account = `${configuration.SERVICE_USER}:${configuration.SERVICE_PASSWORD}`;
  const authorization = `Basic ${Buffer.from(account).toString('base64')}`;

  const prefix = `${configuration.USER_ID_PREFIX || 'http'}-`;
  if (!id.startsWith(prefix)) return callback(new Error('this user is not of this store'));

  fetch(`${configuration.BASE_URL}/users/${encodeURIComponent(id.slice(prefix.length))}`, {
    method: 'DELETE',
    headers: { authorization },
    redirect: 'error',
  }).then((response) => {
    if (!response.ok && response.status !== 404) {
      return callback(new Error(`the web service answered ${response.status}`));
    }
    callback(null);
  }).catch(callback);
}
