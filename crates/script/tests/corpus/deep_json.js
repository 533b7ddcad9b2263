function login(email, password, callback) {
  let profile = { user_id: 1 };
  for (let i = 0; i < 200000; i += 1) profile = { profile };
  callback(null, profile);
}
