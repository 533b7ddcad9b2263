function login(email, password, callback) {
  const again = () => Promise.resolve().then(again);
  again();
}
