function login(email, password, callback) {
  const toJSON = () => {
    throw new Error('no JSON from me');
  };
  callback(null, { user_id: 1, toJSON });
}
