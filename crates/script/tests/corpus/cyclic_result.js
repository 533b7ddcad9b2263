function login(email, password, callback) {
  const profile = { user_id: 1 };
  profile.self = profile;
  callback(null, profile);
}
