function login(email, password, callback) {
  callback(null, { user_id: 1 });
  throw new Error('after the answer');
}
