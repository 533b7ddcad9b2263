function login(email, password, callback) {
  callback(null, { user_id: 1 });
  setTimeout(() => callback(new Error('twenty milliseconds later')), 20);
}
