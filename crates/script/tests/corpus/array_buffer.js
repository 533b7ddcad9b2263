function login(email, password, callback) {
  callback(null, { user_id: new ArrayBuffer(2 ** 53).byteLength });
}
