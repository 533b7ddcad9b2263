function login(email, password, callback) {
  const trap = () => {
    throw new Error('trapped');
  };
  callback(null, new Proxy({}, { get: trap, ownKeys: trap, getOwnPropertyDescriptor: trap }));
}
