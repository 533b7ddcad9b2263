// `require('ferry/password')`: the server's own password formats, for action scripts.
//
// Shared by both runtimes. `ask(question, done)` puts JSON text to the host and hands its answer to
// `done(error, value)`. The hashing is done by the host, under its ceilings; nothing of a hash is
// computed, kept or logged here.

'use strict';

const { stringify } = JSON;

/** The module, on top of a runtime's way to ask. */
function passwordModule(ask) {
  /**
   * Whether `password` is the one behind `hash`. Resolves to true or false; rejects when the hash
   * is in no known format, cannot be read, or would cost too much. `options` say what a bare digest
   * does not: `{ algorithm, salt, pepper, iterations, … }` (docs/hash-formats.md).
   */
  function verify(password, hash, options, callback) {
    if (typeof options === 'function') return verify(password, hash, undefined, options);
    const verdict = new Promise((resolve, reject) => {
      if (typeof password !== 'string' || typeof hash !== 'string') {
        throw new TypeError('verify takes a password and a hash, both texts');
      }
      const question = stringify({ ask: 'password.verify', password, hash, options });
      ask(question, (error, value) => (error ? reject(error) : resolve(value)));
    });
    if (typeof callback !== 'function') return verdict;
    verdict.then((value) => callback(null, value), (error) => callback(error));
    return undefined;
  }

  return { verify };
}

module.exports = { passwordModule };
