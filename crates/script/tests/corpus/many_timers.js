function login(email, password, callback) {
  for (let i = 0; i < 300000; i += 1) setTimeout(() => {}, 1);
  setTimeout(() => callback(null, { user_id: 1 }), 5);
}
