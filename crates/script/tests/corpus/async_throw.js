async function login(email, password, callback) {
  throw new ValidationError('dup', 'user exists');
}
