function login(email, password, callback) {
  null.x;
}
