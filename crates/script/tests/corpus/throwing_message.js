function login(email, password, callback) {
  const trap = () => {
    throw new Error('trapped');
  };
  callback(Object.defineProperties({}, {
    message: { get: trap }, name: { get: trap }, stack: { get: trap }, code: { get: trap },
  }));
}
