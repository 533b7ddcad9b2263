// As much of `ReadableStream` as bodies of `fetch` need: one reader, async iteration, cancel.

'use strict';

class Reader {
  constructor(stream, source) {
    this.stream = stream;
    this.source = source;
    this.closed = new Promise((resolve, reject) => {
      this.settle = { resolve, reject };
    });
    this.closed.catch(() => {});
  }

  async read() {
    if (!this.source) throw new TypeError('This reader has been released');
    try {
      const { value, done } = await this.source.next();
      if (done) this.settle.resolve();
      return done ? { value: undefined, done: true } : { value, done: false };
    } catch (reason) {
      this.settle.reject(reason);
      throw reason;
    }
  }

  releaseLock() {
    this.source = undefined;
    this.stream.locked = false;
  }

  async cancel(reason) {
    await this.source?.return?.(reason);
    this.settle.resolve();
  }
}

/** What `new ReadableStream({start, pull, cancel})` produces, as an async iterator. */
async function* produced(source) {
  const queue = [];
  let ended = false;
  let failure;
  let wake = () => {};
  const controller = {
    desiredSize: 1,
    enqueue: (value) => {
      queue.push(value);
      wake();
    },
    close: () => {
      ended = true;
      wake();
    },
    error: (reason) => {
      failure = { reason };
      wake();
    },
  };
  try {
    await source.start?.(controller);
    for (;;) {
      if (queue.length === 0 && !ended && !failure) await source.pull?.(controller);
      if (queue.length > 0) yield queue.shift();
      else if (failure) throw failure.reason;
      else if (ended) return;
      else await new Promise((resolve) => (wake = resolve));
    }
  } finally {
    if (!ended && !failure) await source.cancel?.();
  }
}

class ReadableStream {
  #source;

  constructor(source = {}) {
    this.locked = false;
    this.#source = source[Symbol.asyncIterator] ? source[Symbol.asyncIterator]() : produced(source);
  }

  getReader() {
    if (this.locked) throw new TypeError('ReadableStream is locked');
    this.locked = true;
    return new Reader(this, this.#source);
  }

  async cancel(reason) {
    await this.#source.return?.(reason);
  }

  async* values() {
    const reader = this.getReader();
    try {
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        yield value;
      }
    } finally {
      await reader.cancel();
    }
  }

  [Symbol.asyncIterator]() {
    return this.values();
  }

  get [Symbol.toStringTag]() {
    return 'ReadableStream';
  }
}

/** A stream over chunks, or over anything that can be iterated. */
function streamOf(chunks) {
  return new ReadableStream((async function* each() {
    for await (const chunk of chunks) yield new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  })());
}

module.exports = { ReadableStream, streamOf };
