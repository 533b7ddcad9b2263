// The part of Web Cryptography that drivers use: digests, HMAC, PBKDF2, AES-GCM and AES-CBC with raw
// keys.

'use strict';

const { algorithm, bytesOf } = require('crypto-hash');
const { DOMException } = require('event-target');

const nameOf = (value) => String(typeof value === 'object' && value !== null ? value.name : value).toUpperCase();
const digestOf = (value) => algorithm(typeof value === 'object' && value !== null ? value.name : value);
const memory = (bytes) => bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
const unsupported = (what) => new DOMException(`${what} is not supported`, 'NotSupportedError');

class CryptoKey {
  #bytes;

  constructor(bytes, algorithmOf, extractable, usages) {
    this.#bytes = bytes;
    this.type = 'secret';
    this.algorithm = algorithmOf;
    this.extractable = extractable;
    this.usages = usages;
  }

  static bytesOf(key) {
    return key.#bytes;
  }
}

function derive({ name, salt, iterations, hash, info }, key, bits) {
  const bytes = CryptoKey.bytesOf(key);
  if (nameOf(name) === 'PBKDF2') {
    return new Promise((resolve, reject) => {
      native.pbkdf2(bytes, bytesOf(salt), iterations, bits / 8, digestOf(hash), (report, made) => {
        if (report) reject(new DOMException(report.message, 'OperationError'));
        else resolve(memory(made));
      });
    });
  }
  if (nameOf(name) === 'HKDF') return memory(native.hkdf(digestOf(hash), bytes, bytesOf(salt), bytesOf(info), bits / 8));
  throw unsupported(name);
}

/** AES; the tag of GCM is at the end of the ciphertext. */
function aes(options, key, data, encrypt) {
  const name = nameOf(options);
  const mode = { 'AES-GCM': 'gcm', 'AES-CBC': 'cbc' }[name];
  if (mode === undefined) throw unsupported(name);
  const bytes = CryptoKey.bytesOf(key);
  const request = { name: `aes-${bytes.length * 8}-${mode}`, key: bytes, iv: bytesOf(options.iv), padding: true, encrypt };
  if (options.additionalData) request.aad = bytesOf(options.additionalData);
  let input = bytesOf(data);
  if (mode === 'gcm' && !encrypt) {
    request.tag = input.slice(-16);
    input = input.slice(0, -16);
  }
  let made;
  try {
    made = native.cipher(request, input);
  } catch {
    throw new DOMException('The operation failed for an operation-specific reason', 'OperationError');
  }
  const { Buffer } = require('buffer');
  return memory(made.tag ? Buffer.concat([made.bytes, made.tag]) : made.bytes);
}

const subtle = {
  async digest(name, data) {
    const found = digestOf(name);
    if (found === undefined) throw unsupported(nameOf(name));
    return memory(native.hash(found, bytesOf(data)));
  },

  async importKey(format, data, options, extractable, usages) {
    const { Buffer } = require('buffer');
    if (format === 'jwk') return new CryptoKey(Buffer.from(data.k, 'base64url'), options, extractable, usages);
    if (format !== 'raw') throw unsupported(`the key format ${format}`);
    const described = typeof options === 'string' ? { name: options } : { ...options };
    return new CryptoKey(Uint8Array.from(bytesOf(data)), described, extractable, usages);
  },

  async exportKey(format, key) {
    if (!key.extractable) throw new DOMException('key is not extractable', 'InvalidAccessError');
    if (format !== 'raw') throw unsupported(`the key format ${format}`);
    return memory(CryptoKey.bytesOf(key));
  },

  async sign(options, key, data) {
    if (nameOf(options) !== 'HMAC') throw unsupported(nameOf(options));
    return memory(native.hmac(digestOf(key.algorithm.hash), CryptoKey.bytesOf(key), bytesOf(data)));
  },

  async verify(options, key, signature, data) {
    const wanted = new Uint8Array(await subtle.sign(options, key, data));
    const given = bytesOf(signature);
    return wanted.length === given.length && native.timingSafeEqual(wanted, given);
  },

  deriveBits: async (options, key, bits) => derive(options, key, bits),

  async deriveKey(options, key, wanted, extractable, usages) {
    const bits = wanted.length ?? 256;
    return new CryptoKey(new Uint8Array(await derive(options, key, bits)), wanted, extractable, usages);
  },

  encrypt: async (options, key, data) => aes(options, key, data, true),
  decrypt: async (options, key, data) => aes(options, key, data, false),
};

module.exports = {
  subtle,
  CryptoKey,
  randomUUID: () => require('crypto-random').randomUUID(),
  getRandomValues(target) {
    if (target.byteLength > 65536) throw new DOMException('more than 65536 bytes were asked for', 'QuotaExceededError');
    return require('crypto-random').randomFillSync(target);
  },
};
