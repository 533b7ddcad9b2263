// Key derivation of `crypto`: pbkdf2, scrypt, hkdf; natively, off the JavaScript thread when a
// callback is given.

'use strict';

const { wrap } = require('buffer');
const { coded, invalidArgument } = require('errors');
const { algorithm, bytesOf, secretBytes } = require('crypto-hash');

function count(name, value, least) {
  if (typeof value !== 'number') throw invalidArgument(name, 'of type number', value);
  if (!Number.isInteger(value) || value < least || value > 0x7fffffff) {
    throw coded(RangeError, 'ERR_OUT_OF_RANGE',
      `The value of "${name}" is out of range. It must be >= ${least} && <= 2147483647. Received ${value}`);
  }
  return value;
}

function digestOf(name) {
  if (typeof name !== 'string') throw invalidArgument('digest', 'of type string', name);
  const found = algorithm(name);
  if (found === undefined) throw coded(TypeError, 'ERR_CRYPTO_INVALID_DIGEST', `Invalid digest: ${name}`);
  return found;
}

/** Gives a native answer to a callback in Node's manner. */
const answer = (callback) => (report, bytes) => {
  if (report) callback(Object.assign(new Error(report.message), { code: report.code }));
  else callback(null, wrap(bytes));
};

function checkCallback(callback) {
  if (typeof callback !== 'function') throw invalidArgument('callback', 'of type function', callback);
}

function pbkdf2(password, salt, iterations, length, digest, callback) {
  if (typeof digest === 'function') throw invalidArgument('digest', 'of type string', undefined);
  checkCallback(callback);
  native.pbkdf2(secretBytes(password), bytesOf(salt, 'utf8', 'salt'), count('iterations', iterations, 1),
    count('keylen', length, 0), digestOf(digest), answer(callback));
}

function pbkdf2Sync(password, salt, iterations, length, digest) {
  return wrap(native.pbkdf2(secretBytes(password), bytesOf(salt, 'utf8', 'salt'), count('iterations', iterations, 1),
    count('keylen', length, 0), digestOf(digest), null));
}

/** The cost parameters under either of Node's spellings. */
function costs(options = {}) {
  const cost = {
    N: options.N ?? options.cost ?? 16384,
    r: options.r ?? options.blockSize ?? 8,
    p: options.p ?? options.parallelization ?? 1,
    maxmem: options.maxmem ?? 32 << 20,
  };
  const isPower = cost.N > 1 && (cost.N & (cost.N - 1)) === 0;
  if (!isPower || 128 * cost.N * cost.r > cost.maxmem) {
    throw coded(RangeError, 'ERR_CRYPTO_INVALID_SCRYPT_PARAMS', isPower
      ? 'Invalid scrypt params: memory limit exceeded' : 'Invalid scrypt params');
  }
  return cost;
}

function scrypt(password, salt, length, options, callback) {
  if (typeof options === 'function') return scrypt(password, salt, length, {}, options);
  checkCallback(callback);
  native.scrypt(secretBytes(password), bytesOf(salt, 'utf8', 'salt'), costs(options), count('keylen', length, 0),
    answer(callback));
  return undefined;
}

function scryptSync(password, salt, length, options) {
  return wrap(native.scrypt(secretBytes(password), bytesOf(salt, 'utf8', 'salt'), costs(options),
    count('keylen', length, 0), null));
}

function hkdfBytes(digest, key, salt, info, length) {
  return native.hkdf(digestOf(digest), secretBytes(key), bytesOf(salt, 'utf8', 'salt'), bytesOf(info, 'utf8', 'info'),
    count('length', length, 0));
}

const exactMemory = (bytes) => bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);

const hkdfSync = (...args) => exactMemory(hkdfBytes(...args));

function hkdf(digest, key, salt, info, length, callback) {
  checkCallback(callback);
  const made = hkdfSync(digest, key, salt, info, length);
  require('timers').setImmediate(callback, null, made);
}

module.exports = { hkdf, hkdfSync, pbkdf2, pbkdf2Sync, scrypt, scryptSync };
