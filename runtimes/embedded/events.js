// `events`: the npm polyfill's EventEmitter, and the newer helpers that drivers import beside it.

'use strict';

const EventEmitter = require('polyfill')('events');

const errorMonitor = Symbol('events.errorMonitor');
const captureRejectionSymbol = Symbol.for('nodejs.rejection');

const { apply } = Reflect;

/** What Node throws when nobody listens to `error`. */
function unheard(reason) {
  if (reason instanceof Error) return reason;
  let shown;
  try {
    shown = require('util').inspect(reason);
  } catch {
    shown = String(reason);
  }
  const error = require('errors').coded(Error, 'ERR_UNHANDLED_ERROR', `Unhandled error. (${shown})`);
  error.context = reason;
  return error;
}

EventEmitter.prototype.emit = function (type, ...args) {
  const events = this._events;
  if (type === 'error') {
    if (events?.[errorMonitor] !== undefined) this.emit(errorMonitor, ...args);
    if (events?.error === undefined) throw unheard(args[0]);
  }
  const handler = events?.[type];
  if (handler === undefined) return false;
  if (typeof handler === 'function') apply(handler, this, args);
  // A copy: listeners may remove themselves.
  else for (const listener of handler.slice()) apply(listener, this, args);
  return true;
};

EventEmitter.prototype.eventNames = function () {
  return this._eventsCount > 0 ? Reflect.ownKeys(this._events) : [];
};

function abortError(signal) {
  return require('event-target').abortError(signal);
}

/** A promise for the next event of that name; `error` rejects it. */
function once(emitter, name, { signal } = {}) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(abortError(signal));
      return;
    }
    const isTarget = typeof emitter.addEventListener === 'function' && typeof emitter.on !== 'function';
    const add = isTarget ? 'addEventListener' : 'on';
    const remove = isTarget ? 'removeEventListener' : 'removeListener';
    const done = () => {
      emitter[remove](name, succeed);
      if (!isTarget) emitter.removeListener('error', fail);
      signal?.removeEventListener('abort', abort);
    };
    const succeed = (...args) => {
      done();
      resolve(args);
    };
    const fail = (error) => {
      done();
      reject(error);
    };
    const abort = () => fail(abortError(signal));
    emitter[add](name, succeed);
    if (!isTarget && name !== 'error') emitter.on('error', fail);
    signal?.addEventListener('abort', abort);
  });
}

/** An endless async iterator over events of that name. */
function on(emitter, name, { signal } = {}) {
  const ready = [];
  const waiting = [];
  let failure;
  let done = false;
  const push = (...args) => {
    if (waiting.length > 0) waiting.shift().resolve({ value: args, done: false });
    else ready.push(args);
  };
  const fail = (error) => {
    if (waiting.length > 0) waiting.shift().reject(error);
    else failure = error;
    finish();
  };
  const abort = () => fail(abortError(signal));
  const finish = () => {
    done = true;
    emitter.removeListener(name, push);
    emitter.removeListener('error', fail);
    signal?.removeEventListener('abort', abort);
    for (const one of waiting.splice(0)) one.resolve({ value: undefined, done: true });
    return Promise.resolve({ value: undefined, done: true });
  };
  emitter.on(name, push);
  if (name !== 'error') emitter.on('error', fail);
  signal?.addEventListener('abort', abort);
  return {
    next() {
      if (ready.length > 0) return Promise.resolve({ value: ready.shift(), done: false });
      if (failure !== undefined) {
        const error = failure;
        failure = undefined;
        return Promise.reject(error);
      }
      if (done) return Promise.resolve({ value: undefined, done: true });
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
    },
    return: finish,
    throw: (error) => {
      fail(error);
      return Promise.resolve({ value: undefined, done: true });
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

Object.assign(EventEmitter, {
  EventEmitter,
  once,
  on,
  errorMonitor,
  captureRejectionSymbol,
  captureRejections: false,
  usingDomains: false,
  getEventListeners: (emitter, name) => emitter.listeners?.(name) ?? [],
  getMaxListeners: (emitter) => emitter.getMaxListeners?.() ?? EventEmitter.defaultMaxListeners,
  setMaxListeners: (count = EventEmitter.defaultMaxListeners, ...targets) => {
    for (const target of targets) target.setMaxListeners?.(count);
    if (targets.length === 0) EventEmitter.defaultMaxListeners = count;
  },
  addAbortListener: (signal, listener) => {
    signal.addEventListener('abort', listener, { once: true });
    return { [Symbol.dispose ?? 'dispose']: () => signal.removeEventListener('abort', listener) };
  },
});
EventEmitter.EventEmitterAsyncResource = class EventEmitterAsyncResource extends EventEmitter {
  emitDestroy() {}
};

module.exports = EventEmitter;
