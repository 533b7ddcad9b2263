function login(email, password, callback) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  callback(null, { user_id: 1 });
}
