function login(email, password, callback) {
  throw 'a bare string';
}
