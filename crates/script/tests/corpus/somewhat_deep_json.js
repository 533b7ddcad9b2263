// Node can write it; the host will not read it.
function login(email, password, callback) {
  let inner = {};
  for (let i = 0; i < 500; i += 1) inner = { inner };
  callback(null, { user_id: 1, inner });
}
