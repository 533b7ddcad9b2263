// Digests and message codes of `crypto`: chunks are kept and hashed once, natively.

'use strict';

const { Transform } = require('stream');
const { Buffer, wrap } = require('buffer');
const { coded, invalidArgument } = require('errors');

let known;
const names = () => (known ??= native.hashes());

/** The native name of a digest: `SHA-256`, `sha256` and `RSA-SHA256` are one. */
function algorithm(name) {
  const bare = String(name).toLowerCase().replace(/^rsa-/u, '').replace(/^sha-(?=\d)/u, 'sha')
    .replace('sha512/256', 'sha512-256');
  const short = { rmd160: 'ripemd160', ripemd: 'ripemd160' }[bare] ?? bare;
  return names().includes(short) ? short : undefined;
}

/** Bytes of what `update` and the key parameters take. */
function bytesOf(value, encoding, name = 'data') {
  if (typeof value === 'string') return Buffer.from(value, encoding === 'buffer' ? 'utf8' : encoding);
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  throw invalidArgument(name, 'of type string or an instance of Buffer, TypedArray, or DataView', value);
}

/** Bytes as the caller wants them: a Buffer, or text. */
function output(bytes, encoding) {
  const made = wrap(bytes);
  return encoding && encoding !== 'buffer' ? made.toString(encoding) : made;
}

/** What Hash, Hmac, Sign and Verify share: they gather chunks, and they are streams. */
class Gatherer extends Transform {
  constructor(options) {
    super(options);
    this._chunks = [];
    this._done = false;
  }

  update(data, encoding) {
    if (this._done) throw coded(Error, 'ERR_CRYPTO_HASH_FINALIZED', 'Digest already called');
    // A copy: the caller may reuse its buffer.
    this._chunks.push(typeof data === 'string' ? bytesOf(data, encoding) : Buffer.from(bytesOf(data)));
    return this;
  }

  _gathered() {
    return this._chunks.length === 1 ? this._chunks[0] : Buffer.concat(this._chunks);
  }

  _take() {
    if (this._done) throw coded(Error, 'ERR_CRYPTO_HASH_FINALIZED', 'Digest already called');
    this._done = true;
    const bytes = this._gathered();
    this._chunks = [];
    return bytes;
  }

  _transform(chunk, encoding, done) {
    this.update(chunk, encoding);
    done();
  }

  _flush(done) {
    this.push(this.digest());
    done();
  }
}

class Hash extends Gatherer {
  constructor(name, options) {
    super(options);
    if (typeof name !== 'string') throw invalidArgument('algorithm', 'of type string', name);
    this._name = algorithm(name);
    if (this._name === undefined) {
      throw Object.assign(coded(Error, 'ERR_OSSL_EVP_UNSUPPORTED', 'error:0308010C:digital envelope routines::unsupported'), {
        reason: 'unsupported', library: 'digital envelope routines',
      });
    }
  }

  copy() {
    const copy = new Hash(this._name);
    copy._chunks = [this._gathered()];
    return copy;
  }

  digest(encoding) {
    return output(native.hash(this._name, this._take()), encoding);
  }
}

class Hmac extends Gatherer {
  constructor(name, key, options) {
    super(options);
    if (typeof name !== 'string') throw invalidArgument('hmac', 'of type string', name);
    this._name = algorithm(name);
    if (this._name === undefined) throw coded(TypeError, 'ERR_CRYPTO_INVALID_DIGEST', `Invalid digest: ${name}`);
    this._key = secretBytes(key);
  }

  digest(encoding) {
    return output(native.hmac(this._name, this._key, this._take()), encoding);
  }
}

/** The bytes of a symmetric key: text, bytes or a secret KeyObject. */
function secretBytes(key, encoding) {
  if (key !== null && typeof key === 'object' && key.type === 'secret') return key.export();
  if (typeof key !== 'string' && !ArrayBuffer.isView(key) && !(key instanceof ArrayBuffer)) {
    throw invalidArgument('key',
      'of type string or an instance of ArrayBuffer, Buffer, TypedArray, DataView, KeyObject, or CryptoKey', key);
  }
  return bytesOf(key, encoding, 'key');
}

module.exports = { Gatherer, Hash, Hmac, algorithm, bytesOf, names, output, secretBytes };
