// Randomness of `crypto`, from the operating system.

'use strict';

const { wrap } = require('buffer');
const { coded, invalidArgument } = require('errors');

const later = (callback, ...args) => require('timers').setImmediate(callback, ...args);

function randomBytes(size, callback) {
  if (typeof size !== 'number') throw invalidArgument('size', 'of type number', size);
  const bytes = wrap(native.random(size));
  if (callback === undefined) return bytes;
  later(callback, null, bytes);
  return undefined;
}

function randomFillSync(target, offset = 0, size = target.byteLength - offset) {
  const view = ArrayBuffer.isView(target)
    ? new Uint8Array(target.buffer, target.byteOffset, target.byteLength) : new Uint8Array(target);
  view.set(native.random(size), offset);
  return target;
}

function randomFill(target, ...rest) {
  const callback = rest.pop();
  later(callback, null, randomFillSync(target, ...rest));
}

/** A uniform whole number below `limit`: the uneven rest of 48 bits is thrown away. */
function below(limit) {
  const space = 2 ** 48;
  const fair = space - (space % limit);
  for (;;) {
    const value = wrap(native.random(6)).readUIntBE(0, 6);
    if (value < fair) return value % limit;
  }
}

function randomInt(low, high, callback) {
  if (typeof high === 'function' || high === undefined) return randomInt(0, low, high);
  if (!Number.isSafeInteger(low)) throw invalidArgument('min', 'a safe integer', low);
  if (!Number.isSafeInteger(high)) throw invalidArgument('max', 'a safe integer', high);
  if (high <= low || high - low >= 2 ** 48) {
    throw coded(RangeError, 'ERR_OUT_OF_RANGE',
      `The value of "max" is out of range. It must be greater than the value of "min" (${low}). Received ${high}`);
  }
  const value = low + below(high - low);
  if (callback === undefined) return value;
  later(callback, null, value);
  return undefined;
}

function randomUUID() {
  const bytes = wrap(native.random(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/u, '$1-$2-$3-$4-');
}

module.exports = { randomBytes, randomFill, randomFillSync, randomInt, randomUUID };
