// A value goes through the callback, never through the promise.
async function login(email, password, callback) {
  return { user_id: 1 };
}
