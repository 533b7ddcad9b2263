function login(email, password, callback) {
  const before = configuration.SECRET;
  configuration.SECRET = 'x';
  Object.prototype.polluted = (Object.prototype.polluted || 0) + 1;
  global.n = (global.n || 0) + 1;
  callback(null, { user_id: 1, before, n: global.n, polluted: {}.polluted });
}
