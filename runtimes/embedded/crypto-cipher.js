// Symmetric ciphers of `crypto`. Block modes are computed when all is known: `update` of an
// encryption gives nothing, `final` everything, unless the mode is a stream.

'use strict';

const { Transform } = require('stream');
const { Buffer, wrap } = require('buffer');
const { coded, invalidArgument } = require('errors');
const { bytesOf, output, secretBytes } = require('crypto-hash');

const LONG = /^(?:id-)?aes(128|192|256)-(?:wrap|gcm|ccm)$/u;

/** `AES256` and `id-aes256-GCM` are other words for what has a name of its own. */
function normal(name) {
  const lower = String(name).toLowerCase();
  const short = /^aes(128|192|256)$/u.exec(lower);
  if (short) return `aes-${short[1]}-cbc`;
  return LONG.test(lower) ? lower.replace(/^(?:id-)?aes(\d+)/u, 'aes-$1') : lower;
}

/** Bytes of key and vector by name, or undefined for a cipher that is not here. */
function shape(name) {
  if (!native.ciphers().includes(name)) return undefined;
  const mode = name.split('-').at(-1);
  const aes = /^aes-(\d+)-/u.exec(name);
  const key = aes ? Number(aes[1]) / 8 : { 'des-ede3-cbc': 24, 'chacha20-poly1305': 32 }[name];
  return { key, iv: { ecb: 0, gcm: 12, poly1305: 12 }[mode] ?? (aes ? 16 : 8), mode };
}

class Cipher extends Transform {
  constructor(encrypt, name, key, iv, options = {}) {
    super(options);
    this._name = normal(name);
    this._shape = shape(this._name);
    if (this._shape === undefined) throw coded(Error, 'ERR_CRYPTO_UNKNOWN_CIPHER', 'Unknown cipher');
    this._encrypt = encrypt;
    this._key = secretBytes(key);
    this._iv = iv === null ? new Uint8Array(0) : bytesOf(iv, 'utf8', 'iv');
    if (this._shape.key !== undefined && this._key.length !== this._shape.key) {
      throw coded(RangeError, 'ERR_CRYPTO_INVALID_KEYLEN', 'Invalid key length');
    }
    const isAuthenticated = this._shape.mode === 'gcm' || this._shape.mode === 'poly1305';
    if (isAuthenticated ? this._iv.length === 0 : this._iv.length !== this._shape.iv) {
      throw coded(TypeError, 'ERR_CRYPTO_INVALID_IV', 'Invalid initialization vector');
    }
    this._isAuthenticated = isAuthenticated;
    this._chunks = [];
    this._aad = undefined;
    this._tag = undefined;
    this._tagLength = options.authTagLength ?? 16;
    this._padding = true;
    this._done = false;
  }

  update(data, from, to) {
    if (this._done) throw coded(Error, 'ERR_CRYPTO_INVALID_STATE', 'Invalid state for operation update');
    this._chunks.push(Buffer.from(bytesOf(data, from)));
    return this._give(Buffer.alloc(0), to);
  }

  final(to) {
    if (this._done) throw coded(Error, 'ERR_CRYPTO_INVALID_STATE', 'Unsupported state or unable to authenticate data');
    this._done = true;
    const request = { name: this._name, key: this._key, iv: this._iv, padding: this._padding, encrypt: this._encrypt };
    if (this._aad) request.aad = this._aad;
    if (this._tag) request.tag = this._tag;
    if (this._isAuthenticated && !this._encrypt && !this._tag) {
      throw new Error('Unsupported state or unable to authenticate data');
    }
    const { bytes, tag } = native.cipher(request, Buffer.concat(this._chunks));
    if (tag) this._tag = wrap(tag).subarray(0, this._tagLength);
    this._chunks = [];
    return this._give(wrap(bytes), to);
  }

  /** Text comes from one decoder, so that `update(...) + final(...)` is whole. */
  _give(bytes, encoding) {
    return output(bytes, encoding);
  }

  setAutoPadding(enable = true) {
    this._padding = Boolean(enable);
    return this;
  }

  setAAD(data) {
    this._aad = bytesOf(data, 'utf8', 'buffer');
    return this;
  }

  setAuthTag(tag, encoding) {
    if (this._encrypt) throw invalidArgument('tag', 'absent for an encryption', tag);
    this._tag = bytesOf(tag, encoding, 'buffer');
    return this;
  }

  getAuthTag() {
    if (!this._tag) throw coded(Error, 'ERR_CRYPTO_INVALID_STATE', 'Invalid state for operation getAuthTag');
    return this._tag;
  }

  _transform(chunk, encoding, done) {
    this.push(this.update(chunk, encoding));
    done();
  }

  _flush(done) {
    try {
      this.push(this.final());
      done();
    } catch (reason) {
      done(reason);
    }
  }
}

/** OpenSSL's derivation for the deprecated createCipher: MD5 rounds, no salt. */
function legacyKey(name, password) {
  const wanted = shape(normal(name));
  if (wanted === undefined) throw coded(Error, 'ERR_CRYPTO_UNKNOWN_CIPHER', 'Unknown cipher');
  let made = Buffer.alloc(0);
  let block = Buffer.alloc(0);
  while (made.length < wanted.key + wanted.iv) {
    block = wrap(native.hash('md5', Buffer.concat([block, bytesOf(password, 'latin1')])));
    made = Buffer.concat([made, block]);
  }
  return [made.subarray(0, wanted.key), wanted.iv === 0 ? null : made.subarray(wanted.key, wanted.key + wanted.iv)];
}

module.exports = {
  Cipher,
  createCipheriv: (name, key, iv, options) => new Cipher(true, name, key, iv, options),
  createDecipheriv: (name, key, iv, options) => new Cipher(false, name, key, iv, options),
  createCipher: (name, password, options) => new Cipher(true, name, ...legacyKey(name, password), options),
  createDecipher: (name, password, options) => new Cipher(false, name, ...legacyKey(name, password), options),
  getCiphers: () => native.ciphers(),
  getCipherInfo: (name) => {
    const found = shape(normal(name));
    return found && { name: normal(name), keyLength: found.key, ivLength: found.iv, mode: found.mode };
  },
};
