function login(email, password, callback) {
  for (let i = 0; i < 200000; i += 1) console.log('x'.repeat(100));
  callback(null, { user_id: 1 });
}
