function login(email, password, callback) {
  const toJSON = () => {
    callback(null, { user_id: 2 });
    return { user_id: 1 };
  };
  callback(null, { toJSON });
}
