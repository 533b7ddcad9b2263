// `async_hooks`: resources run their callbacks at once. A store reaches what runs synchronously
// inside `run`, and not what is awaited there.

'use strict';

class AsyncResource {
  constructor(type) {
    this.type = type;
  }

  runInAsyncScope(call, self, ...args) {
    return Reflect.apply(call, self, args);
  }

  bind(call, self) {
    return (...args) => Reflect.apply(call, self, args);
  }

  emitDestroy() {
    return this;
  }

  asyncId() {
    return 1;
  }

  triggerAsyncId() {
    return 0;
  }

  static bind(call, type, self) {
    return (...args) => Reflect.apply(call, self, args);
  }
}

class AsyncLocalStorage {
  #store;

  getStore() {
    return this.#store;
  }

  enterWith(store) {
    this.#store = store;
  }

  run(store, call, ...args) {
    const before = this.#store;
    this.#store = store;
    try {
      return call(...args);
    } finally {
      this.#store = before;
    }
  }

  exit(call, ...args) {
    return this.run(undefined, call, ...args);
  }

  disable() {
    this.#store = undefined;
  }

  static bind(call) {
    return call;
  }

  static snapshot() {
    return (call, ...args) => call(...args);
  }
}

module.exports = {
  AsyncLocalStorage,
  AsyncResource,
  createHook: () => ({ enable() {}, disable() {} }),
  executionAsyncId: () => 1,
  executionAsyncResource: () => ({}),
  triggerAsyncId: () => 0,
};
