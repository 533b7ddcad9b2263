function login(email, password, callback) {
  for (;;) {}
}
