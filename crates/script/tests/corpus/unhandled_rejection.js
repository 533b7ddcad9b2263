function login(email, password, callback) {
  Promise.reject(new Error('nobody listens'));
}
