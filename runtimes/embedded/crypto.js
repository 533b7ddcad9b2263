// `crypto`: the table of its parts, each loaded when it is first used.

'use strict';

const { coded, invalidArgument } = require('errors');

const bytesView = (value) => new Uint8Array(value.buffer ?? value, value.byteOffset ?? 0, value.byteLength);

function timingSafeEqual(one, other) {
  for (const [name, value] of [['buf1', one], ['buf2', other]]) {
    if (!ArrayBuffer.isView(value) && !(value instanceof ArrayBuffer)) {
      throw invalidArgument(name, 'an instance of ArrayBuffer, Buffer, TypedArray, or DataView', value);
    }
  }
  if (one.byteLength !== other.byteLength) {
    throw coded(RangeError, 'ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH', 'Input buffers must have the same byte length');
  }
  return native.timingSafeEqual(bytesView(one), bytesView(other));
}

const crypto = {
  timingSafeEqual,
  createHash: (name, options) => new (require('crypto-hash').Hash)(name, options),
  createHmac: (name, key, options) => new (require('crypto-hash').Hmac)(name, key, options),
  createSign: (name, options) => new (require('crypto-keys').Sign)(name, options),
  createVerify: (name, options) => new (require('crypto-keys').Verify)(name, options),
  getHashes: () => require('crypto-hash').names().flatMap((name) =>
    (/^(?:md5|sha\d+|ripemd160)$/u.test(name) ? [`RSA-${name.toUpperCase()}`, name] : [name])),
  getCurves: () => ['prime256v1', 'secp384r1', 'secp521r1'],
  getFips: () => 0,
  setEngine() {},
};

/** Where the other members live. */
const PARTS = {
  'crypto-cipher': ['createCipher', 'createCipheriv', 'createDecipher', 'createDecipheriv', 'getCipherInfo', 'getCiphers'],
  'crypto-derive': ['hkdf', 'hkdfSync', 'pbkdf2', 'pbkdf2Sync', 'scrypt', 'scryptSync'],
  'crypto-hash': ['Hash', 'Hmac'],
  'crypto-keys': ['KeyObject', 'Sign', 'Verify', 'createPrivateKey', 'createPublicKey', 'createSecretKey',
    'privateDecrypt', 'publicEncrypt', 'sign', 'verify'],
  'crypto-random': ['randomBytes', 'randomFill', 'randomFillSync', 'randomInt', 'randomUUID'],
};

function lazy(name, make) {
  const settle = (value) => {
    Object.defineProperty(crypto, name, { value, writable: true, configurable: true, enumerable: true });
    return value;
  };
  Object.defineProperty(crypto, name, { get: () => settle(make()), set: settle, configurable: true, enumerable: true });
}

for (const [part, members] of Object.entries(PARTS)) {
  for (const name of members) lazy(name, () => require(part)[name]);
}
lazy('rng', () => crypto.randomBytes);
lazy('pseudoRandomBytes', () => crypto.randomBytes);
lazy('webcrypto', () => require('webcrypto'));
lazy('subtle', () => require('webcrypto').subtle);
lazy('constants', () => ({ ...require('crypto-keys').PADDING, SSL_OP_NO_SSLv2: 0, SSL_OP_NO_SSLv3: 33554432,
  SSL_OP_NO_TLSv1: 67108864, SSL_OP_NO_TLSv1_1: 268435456, SSL_OP_NO_TLSv1_2: 134217728, SSL_OP_NO_TLSv1_3: 536870912,
  SSL_OP_LEGACY_SERVER_CONNECT: 4, SSL_OP_CIPHER_SERVER_PREFERENCE: 4194304, SSL_OP_DONT_INSERT_EMPTY_FRAGMENTS: 2048,
  defaultCoreCipherList: '', TLS1_2_VERSION: 771, TLS1_3_VERSION: 772, POINT_CONVERSION_UNCOMPRESSED: 4 }));
crypto.getRandomValues = (target) => require('webcrypto').getRandomValues(target);

module.exports = crypto;
