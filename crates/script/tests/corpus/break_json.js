function login(email, password, callback) {
  JSON.stringify = () => '"hacked"';
  JSON.parse = () => ({ t: 'hacked' });
  Array.prototype.map = null;
  Array.prototype.push = null;
  Buffer.from = Buffer.concat = null;
  Object.prototype.toJSON = () => 'hacked';
  delete Object.prototype.toJSON;
  callback(null, { user_id: 1 });
}
