// Node's own error has no message here: the reasons are inside an AggregateError.
function login(email, password, callback) {
  require('net').connect({ host: 'localhost', port: 1, autoSelectFamily: true }).on('error', callback);
}
