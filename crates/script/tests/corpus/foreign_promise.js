// What promise libraries return: no native promise, the same duty.
function login(email, password, callback) {
  return { then: (_, rejected) => rejected(undefined) };
}
