function login(email, password, callback) {}
