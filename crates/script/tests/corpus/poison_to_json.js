// Reaches the profile, which is the script's own, and not the frame around it.
function login(email, password, callback) {
  Object.prototype.toJSON = () => 'hacked';
  callback(null, { user_id: 1 });
}
