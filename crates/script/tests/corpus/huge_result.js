function login(email, password, callback) {
  callback(null, { user_id: 1, x: 'a'.repeat(64 << 20) });
}
