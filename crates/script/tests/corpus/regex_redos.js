function login(email, password, callback) {
  /^(a+)+$/.test('a'.repeat(40) + 'b');
  callback(null, { user_id: 1 });
}
