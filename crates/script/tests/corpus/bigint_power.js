function login(email, password, callback) {
  const huge = 7n ** 50000000n;
  callback(null, { user_id: String(huge).length });
}
