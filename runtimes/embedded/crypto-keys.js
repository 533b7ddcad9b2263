// Keys and signatures of `crypto`: KeyObject, sign and verify, RSA encryption.

'use strict';

const { Buffer, wrap } = require('buffer');
const { coded, invalidArgument } = require('errors');
const { Gatherer, algorithm, bytesOf, output } = require('crypto-hash');

const PADDING = {
  RSA_PKCS1_PADDING: 1, RSA_NO_PADDING: 3, RSA_PKCS1_OAEP_PADDING: 4, RSA_PKCS1_PSS_PADDING: 6,
  RSA_PSS_SALTLEN_DIGEST: -1, RSA_PSS_SALTLEN_MAX_SIGN: -2, RSA_PSS_SALTLEN_AUTO: -2,
};

const CREATE = Symbol('create');

class KeyObject {
  #info;
  #material;

  constructor(permit, info, material) {
    if (permit !== CREATE) throw coded(TypeError, 'ERR_INVALID_ARG_VALUE', "The argument 'type' is invalid");
    this.#info = info;
    this.#material = material;
  }

  get type() {
    return this.#info.type;
  }

  get asymmetricKeyType() {
    return this.#info.asymmetricKeyType;
  }

  get asymmetricKeyDetails() {
    const { bits, curve } = this.#info;
    if (this.type === 'secret') return undefined;
    return curve === undefined ? { modulusLength: bits, publicExponent: 65537n } : { namedCurve: curve };
  }

  get symmetricKeySize() {
    return this.type === 'secret' ? this.#material.length : undefined;
  }

  /** PEM text or DER bytes for the native side. */
  get material() {
    return this.#material;
  }

  equals(other) {
    return other instanceof KeyObject && other.type === this.type &&
      Buffer.from(this.#material).equals(Buffer.from(other.material));
  }

  export(options = {}) {
    if (this.type === 'secret') {
      return options.format === 'jwk'
        ? { kty: 'oct', k: Buffer.from(this.#material).toString('base64url') } : Buffer.from(this.#material);
    }
    return exported(this, options);
  }

  static from(key) {
    return key;
  }
}

/** PEM and DER of the form in which the key came; the native side makes the other forms. */
function exported(key, { format = 'pem', type }) {
  const made = native.keyExport(key.material, key.type, { format, type });
  return typeof made === 'string' || format === 'jwk' ? made : wrap(made);
}

/** What the caller gave as a key, as the native side takes it: PEM text, DER bytes or a JWK. */
function materialOf(input) {
  if (input instanceof KeyObject) return input.material;
  const isWrapped = input !== null && typeof input === 'object' && !ArrayBuffer.isView(input) && input.key !== undefined;
  const key = isWrapped ? input.key : input;
  if (key instanceof KeyObject) return key.material;
  if (input?.format === 'jwk') return JSON.stringify(key);
  if (typeof key === 'string') return key;
  const bytes = bytesOf(key, 'utf8', 'key');
  // PEM as bytes is common: files are read that way.
  const text = wrap(bytes).toString('latin1');
  return text.includes('-----BEGIN') ? text : bytes;
}

function fromInput(input, wanted) {
  const material = materialOf(input);
  let info;
  try {
    info = native.keyInfo(material, wanted);
  } catch (reason) {
    const error = new Error(reason.message);
    error.code = reason.code ?? 'ERR_OSSL_UNSUPPORTED';
    throw error;
  }
  return { info, material };
}

function createPrivateKey(input) {
  const { info, material } = fromInput(input, 'private');
  if (info.type !== 'private') throw coded(TypeError, 'ERR_INVALID_ARG_VALUE', 'the key is not a private key');
  return new KeyObject(CREATE, info, material);
}

function createPublicKey(input) {
  const { info, material } = fromInput(input, 'public');
  // The native side takes a private key wherever a public one will do.
  return new KeyObject(CREATE, { ...info, type: 'public' }, material);
}

function createSecretKey(key, encoding) {
  const bytes = Buffer.from(bytesOf(key, encoding, 'key'));
  return new KeyObject(CREATE, { type: 'secret' }, bytes);
}

function optionsOf(input) {
  const { padding, saltLength, dsaEncoding } = input !== null && typeof input === 'object' ? input : {};
  return { padding, saltLength, dsaEncoding };
}

function signature(name, data, input) {
  return native.sign(name, materialOf(input), data, optionsOf(input));
}

function isGenuine(name, data, input, given) {
  return native.verify(name, materialOf(input), data, given, optionsOf(input));
}

function digestName(name) {
  const found = algorithm(name);
  if (found === undefined) throw coded(Error, 'ERR_CRYPTO_INVALID_DIGEST', `Invalid digest: ${name}`);
  return found;
}

class Sign extends Gatherer {
  constructor(name, options) {
    super(options);
    this._name = digestName(name);
  }

  sign(key, encoding) {
    if (key === undefined || key === null) throw coded(Error, 'ERR_CRYPTO_SIGN_KEY_REQUIRED', 'No key provided to sign');
    return output(signature(this._name, this._take(), key), encoding);
  }
}

class Verify extends Gatherer {
  constructor(name, options) {
    super(options);
    this._name = digestName(name);
  }

  verify(key, given, encoding) {
    return isGenuine(this._name, this._take(), key, bytesOf(given, encoding, 'signature'));
  }
}

/** One-shot forms; without a digest for Ed25519. */
function sign(name, data, key, callback) {
  const made = wrap(signature(name ? digestName(name) : null, bytesOf(data), key));
  if (callback === undefined) return made;
  require('timers').setImmediate(callback, null, made);
  return undefined;
}

function verify(name, data, key, given, callback) {
  const made = isGenuine(name ? digestName(name) : null, bytesOf(data), key, bytesOf(given, 'utf8', 'signature'));
  if (callback === undefined) return made;
  require('timers').setImmediate(callback, null, made);
  return undefined;
}

function rsaOptions(input) {
  const { padding = PADDING.RSA_PKCS1_OAEP_PADDING, oaepHash = 'sha1' } =
    input !== null && typeof input === 'object' && !(input instanceof KeyObject) && !ArrayBuffer.isView(input) ? input : {};
  return { padding, oaepHash: digestName(oaepHash) };
}

const publicEncrypt = (key, data) => wrap(native.publicEncrypt(materialOf(key), bytesOf(data), rsaOptions(key)));
const privateDecrypt = (key, data) => wrap(native.privateDecrypt(materialOf(key), bytesOf(data), rsaOptions(key)));

module.exports = {
  KeyObject, PADDING, Sign, Verify, createPrivateKey, createPublicKey, createSecretKey, materialOf, privateDecrypt,
  publicEncrypt, sign, verify,
};
