// `zlib`: deflate and gzip, in one go or as streams. Brotli is absent.

'use strict';

const { Transform } = require('stream');
const { Buffer, kMaxLength, wrap } = require('buffer');
const { refused } = require('errors');

const CONSTANTS = {
  Z_NO_FLUSH: 0, Z_PARTIAL_FLUSH: 1, Z_SYNC_FLUSH: 2, Z_FULL_FLUSH: 3, Z_FINISH: 4, Z_BLOCK: 5, Z_OK: 0, Z_STREAM_END: 1,
  Z_NEED_DICT: 2, Z_ERRNO: -1, Z_STREAM_ERROR: -2, Z_DATA_ERROR: -3, Z_MEM_ERROR: -4, Z_BUF_ERROR: -5, Z_NO_COMPRESSION: 0,
  Z_BEST_SPEED: 1, Z_BEST_COMPRESSION: 9, Z_DEFAULT_COMPRESSION: -1, Z_FILTERED: 1, Z_HUFFMAN_ONLY: 2, Z_RLE: 3, Z_FIXED: 4,
  Z_DEFAULT_STRATEGY: 0, Z_DEFAULT_WINDOWBITS: 15, Z_MIN_WINDOWBITS: 8, Z_MAX_WINDOWBITS: 15, Z_DEFAULT_CHUNK: 16384,
  Z_DEFAULT_LEVEL: -1, Z_DEFAULT_MEMLEVEL: 8, BROTLI_OPERATION_FLUSH: 1, BROTLI_OPERATION_FINISH: 2,
  BROTLI_PARAM_QUALITY: 1, BROTLI_OPERATION_PROCESS: 0,
};

/** Node's class names and what they do. */
const KINDS = {
  Deflate: 'deflate', Inflate: 'inflate', DeflateRaw: 'deflateRaw', InflateRaw: 'inflateRaw', Gzip: 'gzip', Gunzip: 'gunzip',
  Unzip: 'unzip',
};

const bytesOf = (data) => {
  if (typeof data === 'string') return Buffer.from(data);
  return ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data);
};

const failure = (reason) => {
  const error = new Error(reason.message);
  error.errno = CONSTANTS[reason.code] ?? CONSTANTS.Z_DATA_ERROR;
  error.code = reason.code ?? 'Z_DATA_ERROR';
  return error;
};

function attempt(work) {
  try {
    return wrap(work());
  } catch (reason) {
    throw failure(reason);
  }
}

const settings = ({ level, maxOutputLength = kMaxLength } = {}) => ({ level: level ?? -1, maxOutputLength });

class Codec extends Transform {
  constructor(kind, options = {}) {
    super(options);
    this._codec = native.zlibNew(kind, settings(options));
    this.bytesWritten = 0;
  }

  _transform(chunk, encoding, done) {
    this._step(bytesOf(chunk), false, done);
  }

  _flush(done) {
    this._step(new Uint8Array(0), true, done);
  }

  _step(bytes, isLast, done) {
    let made;
    try {
      this.bytesWritten += bytes.length;
      made = attempt(() => native.zlibPush(this._codec, bytes, isLast));
    } catch (reason) {
      done(reason);
      return;
    }
    if (made.length > 0) this.push(made);
    done();
  }

  flush(kind, callback) {
    const done = typeof kind === 'function' ? kind : callback;
    if (done) require('timers').nextTick(done);
  }

  reset() {}

  close(callback) {
    if (callback) this.once('close', callback);
    this.destroy();
  }

  _destroy(error, done) {
    if (this._codec !== undefined) native.zlibFree(this._codec);
    this._codec = undefined;
    done(error);
  }
}

const zlib = { constants: CONSTANTS, codes: {}, ...CONSTANTS };

for (const [name, kind] of Object.entries(KINDS)) {
  const Class = function (options) {
    return Reflect.construct(Codec, [kind, options], new.target ?? Class);
  };
  Object.defineProperty(Class, 'name', { value: name });
  Object.setPrototypeOf(Class, Codec);
  Class.prototype = Object.create(Codec.prototype, { constructor: { value: Class, writable: true, configurable: true } });
  zlib[name] = Class;
  zlib[`create${name}`] = (options) => new Class(options);
  zlib[`${kind}Sync`] = (data, options) => attempt(() => native.zlib(kind, bytesOf(data), settings(options)));
  zlib[kind] = (data, options, callback) => {
    const done = typeof options === 'function' ? options : callback;
    const given = typeof options === 'function' ? {} : options;
    require('timers').setImmediate(() => {
      let made;
      try {
        made = zlib[`${kind}Sync`](data, given);
      } catch (reason) {
        done(reason);
        return;
      }
      done(null, made);
    });
  };
}

for (const name of ['brotliCompress', 'brotliDecompress']) {
  zlib[name] = (data, ...rest) => require('timers').nextTick(rest.at(-1), refused(`zlib.${name}`));
  zlib[`${name}Sync`] = () => {
    throw refused(`zlib.${name}Sync`);
  };
}

module.exports = zlib;
