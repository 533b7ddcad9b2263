function login(email, password, callback) {
  callback(null, { user_id: 1 });
  callback(null, { user_id: 2 });
}
