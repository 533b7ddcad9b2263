// `buffer`: the npm polyfill for the shape (readers, writers, JSON, errors), compiled code for
// everything that touches many bytes: the engine's own typed-array methods where there is one,
// native operations for the other codecs. A native operation costs a copy, so short ASCII stays here.

'use strict';

const polyfill = require('polyfill');

const shape = polyfill('buffer');
const { Buffer } = shape;
const { construct } = Reflect;
const proto = Buffer.prototype;

/** Node's bounds; the engine's own are lower and answer with a RangeError as well. */
const MAX_LENGTH = 2 ** 32;
const MAX_TEXT = 536870888;

const NAMES = {
  __proto__: null, utf8: 'utf8', 'utf-8': 'utf8', hex: 'hex', base64: 'base64', base64url: 'base64url',
  ascii: 'ascii', latin1: 'latin1', binary: 'latin1', ucs2: 'utf16le', 'ucs-2': 'utf16le', utf16le: 'utf16le',
  'utf-16le': 'utf16le',
};

/** The native name of an encoding, or undefined. */
const codec = (encoding) => {
  if (encoding === undefined || encoding === null || encoding === '') return 'utf8';
  return NAMES[encoding] ?? NAMES[String(encoding).toLowerCase()];
};

function codecOrThrow(encoding) {
  const known = codec(encoding);
  if (known !== undefined) return known;
  throw require('errors').coded(TypeError, 'ERR_UNKNOWN_ENCODING', `Unknown encoding: ${encoding}`);
}

const bare = Uint8Array.prototype;
const fillBytes = bare.fill;
const findByte = bare.indexOf;
const copyWithin = bare.copyWithin;
const { fromCharCode } = String;
const { apply } = Reflect;
/** Texts up to this length are looked at here before a native codec is asked. */
const SHORT = 12;

/** A Buffer on the same memory. */
const over = (memory, offset, length) => construct(Uint8Array, [memory, offset, length], Buffer);
const wrap = (bytes) => over(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const allocate = (size) => {
  if (typeof size !== 'number') throw require('errors').invalidArgument('size', 'of type number', size);
  if (!(size >= 0 && size <= MAX_LENGTH)) {
    throw require('errors').coded(RangeError, 'ERR_OUT_OF_RANGE', 'The value of "size" is out of range. ' +
      `It must be >= 0 && <= ${MAX_LENGTH}. Received ${size}`);
  }
  return construct(Uint8Array, [size], Buffer);
};

/** The bytes of a text; `known` is a native name. */
function encode(text, known) {
  if (text.length <= SHORT && (known === 'utf8' || known === 'latin1' || known === 'ascii')) {
    const bytes = new Uint8Array(text.length);
    let index = 0;
    for (; index < text.length; index += 1) {
      const unit = text.charCodeAt(index);
      if (unit > 127 && known === 'utf8') break;
      bytes[index] = unit;
    }
    if (index === text.length) return bytes;
  }
  return native.encode(text, known);
}

/** The text of bytes from `first` to before `last`. */
function decode(bytes, known, first, last) {
  const part = new Uint8Array(bytes.buffer, bytes.byteOffset + first, last - first);
  if (part.length <= SHORT && (known === 'utf8' || known === 'latin1')) {
    let index = 0;
    if (known === 'utf8') while (index < part.length && part[index] < 128) index += 1;
    if (known === 'latin1' || index === part.length) return apply(fromCharCode, undefined, part);
  }
  return native.decode(part, known, 0, part.length);
}

/** Where `needle` begins in `bytes`, at `from` or after; -1 when nowhere. */
function search(bytes, needle, from) {
  if (needle.length === 0) return Math.min(from, bytes.length);
  const last = bytes.length - needle.length;
  for (let at = apply(findByte, bytes, [needle[0], from]); at >= 0 && at <= last;
    at = apply(findByte, bytes, [needle[0], at + 1])) {
    let index = 1;
    while (index < needle.length && bytes[at + index] === needle[index]) index += 1;
    if (index === needle.length) return at;
  }
  return -1;
}

function order(one, other) {
  const shared = Math.min(one.length, other.length);
  for (let index = 0; index < shared; index += 1) {
    if (one[index] !== other[index]) return one[index] < other[index] ? -1 : 1;
  }
  return Math.sign(one.length - other.length);
}

const isBytes = (value) => ArrayBuffer.isView(value) && value instanceof Uint8Array;
const isMemory = (value) => value instanceof ArrayBuffer ||
  (typeof SharedArrayBuffer === 'function' && value instanceof SharedArrayBuffer);

const shapeFrom = Buffer.from;

function from(value, encodingOrOffset, length) {
  if (typeof value === 'string') return wrap(encode(value, codecOrThrow(encodingOrOffset)));
  if (isBytes(value)) {
    const copy = allocate(value.length);
    copy.set(value);
    return copy;
  }
  if (isMemory(value)) return over(value, encodingOrOffset, length);
  if (Array.isArray(value)) {
    const copy = allocate(value.length);
    for (let index = 0; index < value.length; index += 1) copy[index] = value[index];
    return copy;
  }
  if (value !== null && typeof value === 'object') {
    if (value.type === 'Buffer' && Array.isArray(value.data)) return from(value.data);
    return shapeFrom(value, encodingOrOffset, length);
  }
  throw require('errors').invalidArgument('The first argument', 'of type string or an instance of Buffer, ' +
    'ArrayBuffer, or Array or an Array-like Object', value);
}

function alloc(size, fill, encoding) {
  const made = allocate(size);
  return fill === undefined || fill === 0 || size === 0 ? made : made.fill(fill, encoding);
}

function byteLength(value, encoding) {
  if (typeof value !== 'string') {
    if (ArrayBuffer.isView(value) || isMemory(value)) return value.byteLength;
    throw require('errors').invalidArgument('string',
      'of type string or an instance of Buffer or ArrayBuffer', value);
  }
  const known = codec(encoding) ?? 'utf8';
  if (known === 'utf8') return native.utf8Length(value);
  if (known === 'utf16le') return value.length * 2;
  if (known === 'latin1' || known === 'ascii') return value.length;
  if (known === 'hex') return value.length >>> 1;
  return Math.floor((value.replace(/={1,2}$/u, '').length * 3) / 4);
}

function concat(list, length) {
  if (!Array.isArray(list)) throw require('errors').invalidArgument('list', 'an instance of Array', list);
  let total = length;
  if (total === undefined) {
    total = 0;
    for (const one of list) total += one.length;
  }
  const joined = allocate(total);
  let offset = 0;
  for (const [index, one] of list.entries()) {
    if (!isBytes(one)) {
      throw require('errors').invalidArgument(`list[${index}]`, 'an instance of Buffer or Uint8Array', one);
    }
    if (offset >= total) break;
    const part = one.length > total - offset ? one.subarray(0, total - offset) : one;
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** An index as slice takes it: negative from the end, clamped. */
function clamp(value, length, fallback) {
  if (value === undefined) return fallback;
  const index = Math.trunc(Number(value)) || 0;
  if (index < 0) return Math.max(0, length + index);
  return Math.min(index, length);
}

function subarray(start, end) {
  const first = clamp(start, this.length, 0);
  const last = clamp(end, this.length, this.length);
  return over(this.buffer, this.byteOffset + first, Math.max(0, last - first));
}

function toText(encoding, start, end) {
  const first = Math.max(0, Math.min(Number(start) || 0, this.length));
  const last = end === undefined ? this.length : Math.max(first, Math.min(Number(end) || 0, this.length));
  return first === last ? '' : decode(this, codecOrThrow(encoding), first, last);
}

function write(text, ...rest) {
  let [offset = 0, length, encoding] = rest;
  if (typeof offset === 'string') [offset, length, encoding] = [0, undefined, offset];
  else if (typeof length === 'string') [length, encoding] = [undefined, length];
  if (typeof text !== 'string') throw require('errors').invalidArgument('argument', 'of type string', text);
  if (offset < 0 || offset > this.length) {
    throw require('errors').coded(RangeError, 'ERR_OUT_OF_RANGE', 'The value of "offset" is out of range. ' +
      `It must be >= 0 && <= ${this.length}. Received ${offset}`);
  }
  const room = Math.min(length ?? Infinity, this.length - offset);
  const known = codecOrThrow(encoding);
  let bytes = encode(text, known);
  if (bytes.length > room) {
    let cut = room;
    // A character is written whole or not at all.
    if (known === 'utf8') while (cut > 0 && (bytes[cut] & 0xc0) === 0x80) cut -= 1;
    if (known === 'utf16le') cut -= cut % 2;
    bytes = bytes.subarray(0, cut);
  }
  this.set(bytes, offset);
  return bytes.length;
}

function fill(value, ...rest) {
  let [start = 0, end = this.length, encoding] = rest;
  if (typeof start === 'string') [start, end, encoding] = [0, this.length, start];
  else if (typeof end === 'string') [end, encoding] = [this.length, end];
  let pattern;
  if (typeof value === 'string') pattern = encode(value, codecOrThrow(encoding));
  else if (isBytes(value)) pattern = value;
  else pattern = Uint8Array.of(Number(value) & 255);
  if (pattern.length === 0) {
    if (typeof value !== 'string' || value.length > 0) {
      throw require('errors').coded(TypeError, 'ERR_INVALID_ARG_VALUE',
        `The argument 'value' is invalid. Received ${String(value)}`);
    }
    pattern = Uint8Array.of(0);
  }
  const last = Math.min(end, this.length);
  if (pattern.length === 1 || start >= last) return apply(fillBytes, this, [pattern[0], start, last]);
  let done = Math.min(pattern.length, last - start);
  this.set(pattern.subarray(0, done), start);
  // What is filled doubles with every copy.
  for (; done < last - start; done *= 2) apply(copyWithin, this, [start + done, start, Math.min(start + done, last - done)]);
  return this;
}

function indexOf(value, from, encoding) {
  let needle;
  let first = from;
  let name = encoding;
  if (typeof first === 'string') [first, name] = [0, first];
  if (typeof value === 'string') needle = encode(value, codecOrThrow(name));
  else if (isBytes(value)) needle = value;
  else if (typeof value === 'number') needle = Uint8Array.of(value & 255);
  else {
    throw require('errors').invalidArgument('value',
      'one of type number or string or an instance of Buffer or Uint8Array', value);
  }
  return search(this, needle, clamp(first, this.length, 0));
}

function compareBytes(one, other) {
  for (const [name, value] of [['buf1', one], ['buf2', other]]) {
    if (!isBytes(value)) {
      throw require('errors').invalidArgument(name, 'an instance of Buffer or Uint8Array', value);
    }
  }
  return order(one, other);
}

function copy(target, targetStart = 0, start = 0, end = this.length) {
  const count = Math.min(end - start, target.length - targetStart, this.length - start);
  if (count <= 0) return 0;
  target.set(Uint8Array.prototype.subarray.call(this, start, start + count), targetStart);
  return count;
}

/** Replaces methods of the shape. They are enumerable, as Node's are: mysql2 looks for them with `for … in`. */
function define(target, methods) {
  for (const [name, value] of Object.entries(methods)) {
    Object.defineProperty(target, name, { value, writable: true, configurable: true, enumerable: true });
  }
}

define(Buffer, {
  from,
  alloc,
  byteLength,
  concat,
  allocUnsafe: allocate,
  allocUnsafeSlow: allocate,
  compare: compareBytes,
  isBuffer: (value) => value instanceof Buffer,
  isEncoding: (name) => typeof name === 'string' && name !== '' && codec(name) !== undefined,
  of: (...items) => from(items),
  copyBytesFrom: (view, offset = 0, length = view.length - offset) => {
    const part = view.subarray(offset, offset + length);
    return from(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
  },
});

const shapeCompare = proto.compare;
define(proto, {
  subarray,
  slice: subarray,
  toString: toText,
  toLocaleString: toText,
  write,
  fill,
  indexOf,
  copy,
  includes(value, first, encoding) {
    return indexOf.call(this, value, first, encoding) !== -1;
  },
  equals(other) {
    if (!isBytes(other)) {
      throw require('errors').invalidArgument('otherBuffer', 'an instance of Buffer or Uint8Array', other);
    }
    return this === other || (this.length === other.length && order(this, other) === 0);
  },
  compare(other, ...range) {
    return range.length === 0 ? compareBytes(this, other) : shapeCompare.call(this, other, ...range);
  },
});
for (const encoding of ['utf8', 'latin1', 'ascii', 'hex', 'base64', 'ucs2']) {
  const known = codec(encoding);
  define(proto, {
    [`${encoding}Slice`](start, end) {
      return toText.call(this, known, start, end);
    },
    [`${encoding}Write`](text, offset, length) {
      return write.call(this, text, offset, length, known);
    },
  });
}
for (const name of Object.getOwnPropertyNames(proto)) {
  const { value } = Object.getOwnPropertyDescriptor(proto, name);
  // Node spells the unsigned readers and writers both ways.
  const other = name.replace('UInt', 'Uint');
  if (other !== name && !Object.hasOwn(proto, other)) define(proto, { [other]: value });
}
// The name under which inspect finds the hex form.
define(proto, {
  [Symbol.for('nodejs.util.inspect.custom')]() {
    const shown = toText.call(this, 'hex', 0, 50).replace(/(.{2})/gu, '$1 ').trim();
    const more = this.length > 50 ? ` ... ${this.length - 50} more byte${this.length > 51 ? 's' : ''}` : '';
    return `<Buffer${shown ? ` ${shown}` : ''}${more}>`;
  },
});
delete proto._isBuffer;
Buffer.poolSize = 8192;

/** `base64` to a text of one character per byte; throws as browsers do. */
function atob(text) {
  const bare = String(text).replace(/[\t\n\f\r ]/gu, '');
  if (!/^[A-Za-z0-9+/]*={0,2}$/u.test(bare) || bare.replace(/=+$/u, '').length % 4 === 1) {
    const error = new Error('The string to be decoded is not correctly encoded.');
    error.name = 'InvalidCharacterError';
    error.code = 5;
    throw error;
  }
  return from(bare, 'base64').toString('latin1');
}

const SlowBuffer = (size) => allocate(size);

module.exports = {
  Buffer,
  SlowBuffer,
  kMaxLength: MAX_LENGTH,
  kStringMaxLength: MAX_TEXT,
  constants: { MAX_LENGTH: MAX_LENGTH, MAX_STRING_LENGTH: MAX_TEXT },
  INSPECT_MAX_BYTES: 50,
  atob,
  btoa: (text) => from(String(text), 'latin1').toString('base64'),
  isUtf8: (bytes) => from(bytes.toString('utf8')).equals(bytes),
  isAscii: (bytes) => bytes.every((byte) => byte < 128),
  get Blob() {
    return require('blob').Blob;
  },
  /** For our own modules: a Buffer on bytes that a native operation gave. */
  wrap,
};
