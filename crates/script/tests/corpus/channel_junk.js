function login(email, password, callback) {
  require('fs').writeSync(3, 'this is no frame');
  callback(null, { user_id: 'real' });
}
