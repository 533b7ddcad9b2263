function login(email, password, callback) {
  const trap = () => {
    throw null;
  };
  throw new Proxy(function error() {}, { get: trap, getPrototypeOf: trap, ownKeys: trap });
}
