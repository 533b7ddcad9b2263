// Under the cap in characters, over it in bytes.
function login(email, password, callback) {
  callback(null, { user_id: 1, x: 'é'.repeat(600 << 10) });
}
