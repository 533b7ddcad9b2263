function login(email, password, callback) {
  const down = () => down() + 1;
  down();
}
