// `tls`: clients. The record layer is a native transformer of bytes: ciphertext comes from any duplex
// stream, so a socket may change to TLS in the middle of its life (STARTTLS), or run inside another.

'use strict';

const net = require('net');
const { Buffer, wrap } = require('buffer');
const { coded, refused } = require('errors');
const timers = require('timers');

const listOf = (value) => {
  if (value === undefined || value === null) return null;
  return (Array.isArray(value) ? value : [value]).map((one) => {
    if (typeof one === 'string') return one;
    if (!ArrayBuffer.isView(one)) return String(one.pem ?? one);
    return wrap(new Uint8Array(one.buffer, one.byteOffset, one.byteLength)).toString();
  });
};

/** The certificates and keys of a connection, whichever way the caller gave them. */
function settingsOf(options) {
  // Drivers inherit these options from others: look them up, do not copy them.
  const given = (name) => listOf(options[name] ?? options.secureContext?.options[name]);
  return {
    ca: given('ca'),
    cert: given('cert')?.join('\n') ?? null,
    key: given('key')?.join('\n') ?? null,
    alpn: (options.ALPNProtocols ?? []).map(String),
    rejectUnauthorized: options.rejectUnauthorized !== false,
  };
}

/** The error of a failed handshake, with the reason's code as Node names it. */
function failure({ code, message }, host) {
  const error = new Error(message);
  error.code = code;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    error.reason = message.slice(message.indexOf(': ') + 2);
    error.host = host;
  }
  return error;
}

class TLSSocket extends net.Socket {
  constructor(transport, options = {}) {
    super({ allowHalfOpen: transport?.allowHalfOpen });
    if (options.isServer) throw refused('a TLS server');
    this.encrypted = true;
    this.authorized = false;
    this.authorizationError = null;
    this.alpnProtocol = false;
    this.servername = options.servername ?? false;
    this.secureConnecting = true;
    this.ssl = this;
    this._options = options;
    this._tls = undefined;
    this._transport = undefined;
    this._fault = null;
    this._released = false;
    if (transport) this._carry(transport);
  }

  /** Takes the transport; the handshake begins when it is connected. */
  _carry(transport) {
    this._transport = transport;
    this._parent = transport;
    this.connecting = Boolean(transport.connecting);
    transport.on('error', (error) => this.destroy(error));
    transport.on('close', () => this._lost(true));
    transport.on('end', () => this._lost(false));
    transport.on('timeout', () => this.emit('timeout'));
    transport.on('data', (bytes) => this._feed(bytes));
    const begin = () => {
      this.connecting = false;
      if (this.destroyed) return;
      this.emit('connect');
      this.emit('ready');
      this._begin();
    };
    if (transport.connecting) transport.once('connect', begin);
    else timers.nextTick(() => !this.destroyed && this._begin());
  }

  /** What old drivers call after they made a socket by hand. */
  _start() {
    this._begin();
  }

  _begin() {
    if (this._tls !== undefined) return;
    const options = this._options;
    try {
      this._tls = native.tlsNew({
        ...settingsOf(options),
        servername: this._name(),
        checkName: typeof options.checkServerIdentity !== 'function',
      });
      this._send(native.tlsStart(this._tls));
    } catch (reason) {
      this.destroy(failure(reason));
    }
  }

  /** The name that the certificate must be for. */
  _name() {
    return this._options.servername || this._options.host || this._transport._host || 'localhost';
  }

  _send(bytes, done) {
    if (bytes && bytes.length > 0 && this._transport.writable) this._transport.write(wrap(bytes), done);
    else done?.();
  }

  _feed(bytes) {
    if (this.destroyed) return;
    if (this._tls === undefined) this._begin();
    const result = native.tlsFeed(this._tls, bytes);
    this._send(result.out);
    if (result.error) {
      this._fail(result.error);
      return;
    }
    if (result.ready && this.secureConnecting && !this._established()) return;
    if (result.plain?.length > 0 && !this.push(wrap(result.plain))) this._transport.pause();
    if (result.closed) this._finish();
  }

  _fail(report) {
    const error = failure(report, this._name());
    this.authorizationError = error.code;
    this._fault = error;
    this.emit('_tlsError', error);
    // Who made the socket by hand hears of it through that event alone.
    this.destroy(this._released ? error : undefined);
  }

  /** What verification said, for drivers that ask the inner object (`ssl`, which is this one). */
  verifyError() {
    return this._fault;
  }

  /** True when the connection may be used. */
  _established() {
    const info = native.tlsInfo(this._tls);
    this._info = info;
    this.alpnProtocol = info.alpn ?? false;
    const fault = info.authorizationError ? failure(info.authorizationError) : this._identityFault();
    this.authorized = !fault;
    this.authorizationError = fault ? fault.code ?? fault.message : null;
    this._fault = fault ?? null;
    if (fault && this._released && this._options.rejectUnauthorized !== false) {
      this.destroy(fault);
      return false;
    }
    this.secureConnecting = false;
    this.emit('secure');
    this.emit('secureConnect');
    const pending = this._pending;
    this._pending = undefined;
    pending?.();
    return !this.destroyed;
  }

  _identityFault() {
    const { checkServerIdentity, servername, host } = this._options;
    if (typeof checkServerIdentity !== 'function') return undefined;
    return checkServerIdentity(servername || host || 'localhost', this.getPeerCertificate(true));
  }

  /** The other side will send no more. */
  _finish() {
    if (this.readableEnded || this._readableState.ended) return;
    this.push(null);
    if (this.readableLength === 0 && !this.isPaused()) this.read(0);
  }

  /** The connection below ended, or was torn down. */
  _lost(isClosed) {
    if (this.destroyed) return;
    if (this.secureConnecting) {
      const error = new Error('Client network socket disconnected before secure TLS connection was established');
      Object.assign(error, { code: 'ECONNRESET', path: undefined, host: this._options.host, port: this._options.port });
      this.destroy(error);
    } else if (!isClosed) this._finish();
    else if (!this._readableState.ended) this.destroy();
  }

  _read() {
    this._transport?.resume();
  }

  _write(chunk, encoding, done) {
    if (this.secureConnecting) {
      this._pending = () => this._write(chunk, encoding, done);
      return;
    }
    if (this._tls === undefined) {
      done(coded(Error, 'ERR_SOCKET_CLOSED', 'Socket is closed'));
      return;
    }
    let bytes;
    try {
      bytes = native.tlsWrite(this._tls, chunk);
    } catch (reason) {
      done(failure(reason));
      return;
    }
    this._send(bytes, done);
  }

  _writev(chunks, done) {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), 'buffer', done);
  }

  _final(done) {
    if (this.secureConnecting && !this.destroyed) {
      this._pending = () => this._final(done);
      return;
    }
    if (this._tls !== undefined) this._send(native.tlsEnd(this._tls));
    this._transport.end?.();
    done();
  }

  _destroy(error, done) {
    this.connecting = false;
    this._pending = undefined;
    if (this._tls !== undefined) native.tlsFree(this._tls);
    this._tls = undefined;
    done(error);
    timers.nextTick(() => this.emit('close', Boolean(error)));
    // The reason must be heard before the connection below is seen to close.
    timers.setImmediate(() => this._transport?.destroy());
  }

  setTimeout(delay, callback) {
    if (callback) this.once('timeout', callback);
    this.timeout = delay;
    this._transport?.setTimeout?.(delay);
    return this;
  }

  setNoDelay(enable) {
    this._transport?.setNoDelay?.(enable);
    return this;
  }

  setKeepAlive(enable, delay) {
    this._transport?.setKeepAlive?.(enable, delay);
    return this;
  }

  setServername(name) {
    this._options = { ...this._options, servername: name };
    this.servername = name;
  }

  setSession() {}

  getSession() {
    return undefined;
  }

  isSessionReused() {
    return false;
  }

  getFinished() {
    return undefined;
  }

  getPeerFinished() {
    return undefined;
  }

  disableRenegotiation() {}

  setMaxSendFragment() {
    return true;
  }

  address() {
    return this._transport?.address?.() ?? {};
  }

  getProtocol() {
    return this._info?.protocol ?? null;
  }

  getCipher() {
    const name = this._info?.cipher;
    return { name, standardName: name, version: this.getProtocol() };
  }

  getPeerCertificate() {
    const der = this._info?.peerDer;
    return der ? require('x509').describe(der) : {};
  }
}

for (const name of ['localAddress', 'localPort', 'remoteAddress', 'remotePort', 'remoteFamily', 'bytesRead', 'bytesWritten']) {
  Object.defineProperty(TLSSocket.prototype, name, {
    get() {
      return this._transport?.[name];
    },
    configurable: true,
  });
}

/** `connect(options, cb)`, `connect(port, host, options, cb)` in any shortened form. */
function connect(...args) {
  const callback = typeof args.at(-1) === 'function' ? args.pop() : undefined;
  let options = {};
  for (const [index, arg] of args.entries()) {
    if (arg !== null && typeof arg === 'object') options = { ...options, ...arg };
    else if (index === 0) options.port = arg;
    else if (typeof arg === 'string') options.host = arg;
  }
  const transport = options.socket ?? net.connect({
    host: options.host ?? 'localhost', port: options.port, path: options.path, family: options.family, lookup: options.lookup,
  });
  const socket = new TLSSocket(transport, options);
  socket._released = true;
  if (!options.socket && options.timeout) socket.setTimeout(options.timeout);
  if (callback) socket.once('secureConnect', callback);
  return socket;
}

/** Kept as it is: the native side reads it when the connection is made. */
function createSecureContext(options = {}) {
  return { options, context: { addCACert() {}, addRootCerts() {}, setCert() {}, setKey() {}, setCiphers() {} } };
}

/** Node's check of a name against a certificate, for callers that do it themselves. */
function checkServerIdentity(host, certificate) {
  return require('x509').nameFault(host, certificate);
}

function createServer() {
  throw refused('tls.createServer');
}

module.exports = {
  CLIENT_RENEG_LIMIT: 3,
  CLIENT_RENEG_WINDOW: 600,
  DEFAULT_CIPHERS: 'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256',
  DEFAULT_ECDH_CURVE: 'auto',
  DEFAULT_MAX_VERSION: 'TLSv1.3',
  DEFAULT_MIN_VERSION: 'TLSv1.2',
  SecureContext: class SecureContext {},
  TLSSocket,
  checkServerIdentity,
  connect,
  createSecureContext,
  createSecurePair: (...args) => require('tls-pair').createSecurePair(TLSSocket, ...args),
  createServer,
  getCiphers: () => ['tls_aes_128_gcm_sha256', 'tls_aes_256_gcm_sha384', 'tls_chacha20_poly1305_sha256'],
  rootCertificates: [],
};
