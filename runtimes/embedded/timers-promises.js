// `timers/promises`.

'use strict';

const timers = require('timers');

/** A promise that a timer resolves and a signal rejects. */
function promised(start, stop, value, signal) {
  return new Promise((resolve, reject) => {
    const { abortError } = require('event-target');
    if (signal?.aborted) {
      reject(abortError(signal));
      return;
    }
    const abort = () => {
      stop(timer);
      reject(abortError(signal));
    };
    const timer = start(() => {
      signal?.removeEventListener('abort', abort);
      resolve(value);
    });
    signal?.addEventListener('abort', abort);
  });
}

const setTimeout = (delay, value, { signal } = {}) =>
  promised((done) => timers.setTimeout(done, delay), timers.clearTimeout, value, signal);
const setImmediate = (value, { signal } = {}) =>
  promised((done) => timers.setImmediate(done), timers.clearImmediate, value, signal);

async function* setInterval(delay, value, options) {
  for (;;) yield await setTimeout(delay, value, options);
}

module.exports = {
  setTimeout,
  setImmediate,
  setInterval,
  scheduler: { wait: (delay, options) => setTimeout(delay, undefined, options), yield: () => setImmediate() },
};
