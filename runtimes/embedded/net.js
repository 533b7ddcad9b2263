// `net`: TCP clients. There are no servers and no local sockets.

'use strict';

const { Duplex } = require('stream');
const { coded, refused, system } = require('errors');
const { isIP, isIPv4, isIPv6 } = require('ip-address');
const { wrap } = require('buffer');
const timers = require('timers');

/** What `connect` was called with: options and a callback. */
function normalize(args) {
  const callback = typeof args.at(-1) === 'function' ? args.at(-1) : undefined;
  const [first, second] = args;
  if (Array.isArray(first)) return first;
  if (first !== null && typeof first === 'object') return [first, callback];
  if (typeof first === 'string' && Number.isNaN(Number(first))) return [{ path: first }, callback];
  const options = { port: first };
  if (typeof second === 'string') options.host = second;
  return [options, callback];
}

function checkPort(value) {
  const port = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (Number.isInteger(port) && port >= 0 && port <= 65535) return port;
  throw coded(RangeError, 'ERR_SOCKET_BAD_PORT',
    `Port should be >= 0 and < 65536. Received ${require('util').inspect(value)}.`);
}

/** One error for a name whose addresses all failed, as Node makes it. */
function connectError(report) {
  if (!Array.isArray(report.errors) || report.errors.length < 2) return system(report);
  const error = new AggregateError(report.errors.map(system), '');
  error.code = report.errors[0].code;
  return error;
}

/** A function and not a class: old packages call it on objects of their own. */
function Socket(options = {}) {
  if (!(this instanceof Socket)) return new Socket(options);
  if (options.handle !== undefined || options.fd !== undefined) throw refused('a socket on a descriptor');
  Duplex.call(this, {
    ...options,
    allowHalfOpen: Boolean(options.allowHalfOpen),
    autoDestroy: true,
    emitClose: false,
    decodeStrings: true,
  });
  this.connecting = false;
  this._handle = null;
  this._sockname = {};
  this._host = null;
  this._pending = undefined;
  this._timer = undefined;
  this.timeout = 0;
  this._bytesRead = 0;
  this._bytesWritten = 0;
  this._noDelay = false;
  this._keepAlive = undefined;
  this.on('end', endQuietly);
}

class Methods extends Duplex {
  connect(...args) {
    const [options, callback] = normalize(args);
    if (callback) this.once('connect', callback);
    if (this.destroyed || this._handle !== null) reopen(this);
    this.connecting = true;
    if (options.path) {
      const report = { code: 'EACCES', syscall: 'connect', address: options.path };
      timers.nextTick(() => this.destroy(system(report)));
      return this;
    }
    if (options.port === undefined) {
      throw coded(TypeError, 'ERR_MISSING_ARGS', 'The "options" or "port" or "path" argument must be specified');
    }
    if (options.noDelay) this.setNoDelay(true);
    if (options.keepAlive) this.setKeepAlive(true, options.keepAliveInitialDelay);
    if (options.timeout) this.setTimeout(options.timeout);
    this._open(options.host || 'localhost', checkPort(options.port), options);
    return this;
  }

  /** Resolves with the caller's `lookup` if there is one; otherwise the native side does. */
  _open(host, port, { lookup, family }) {
    if (!isIP(host)) this._host = host;
    if (typeof lookup !== 'function' || isIP(host)) {
      this._dial(host, port);
      return;
    }
    lookup(host, { family, hints: 0 }, (error, found) => {
      const address = Array.isArray(found) ? found[0]?.address : found;
      this.emit('lookup', error, address, isIP(address), host);
      if (!this.connecting) return;
      if (error) this.destroy(error);
      else this._dial(address, port);
    });
  }

  _dial(host, port) {
    const handle = native.tcpConnect(host, port, (event, detail) => {
      if (this._handle === handle || event === 'error') this._hear(event, detail);
    });
    this._handle = handle;
  }

  _hear(event, detail) {
    this._touch();
    if (event === 'data') {
      this._bytesRead += detail.length;
      if (!this.push(wrap(detail)) && this._handle !== null) native.tcpPause(this._handle);
    } else if (event === 'connect') this._connected(detail);
    else if (event === 'end') {
      this.push(null);
      // Nobody reads: the end must be seen all the same.
      if (this.readableLength === 0 && !this.isPaused()) this.read(0);
    } else if (event === 'error') this._fail(detail);
    else if (event === 'close') this.destroy();
  }

  _connected(names) {
    if (this.destroyed) return;
    this.connecting = false;
    this._sockname = names;
    if (this._noDelay) native.tcpNoDelay(this._handle, true);
    if (this._keepAlive) native.tcpKeepAlive(this._handle, true, this._keepAlive.delay);
    this.emit('connect');
    this.emit('ready');
    const pending = this._pending;
    this._pending = undefined;
    if (pending) pending();
    if (!this.isPaused()) this.read(0);
  }

  _fail(report) {
    if (report.code === 'ENOTFOUND' || report.syscall === 'getaddrinfo') {
      this.emit('lookup', system(report), undefined, undefined, report.hostname);
    }
    this.destroy(this.connecting ? connectError(report) : system(report));
  }

  _read() {
    if (this._handle !== null && !this.connecting) native.tcpResume(this._handle);
  }

  _write(chunk, encoding, done) {
    if (this.connecting) {
      this._pending = () => this._write(chunk, encoding, done);
      return;
    }
    if (this._handle === null) {
      done(coded(Error, 'ERR_SOCKET_CLOSED', 'Socket is closed'));
      return;
    }
    this._touch();
    this._bytesWritten += chunk.length;
    native.tcpWrite(this._handle, chunk, (report) => {
      this._touch();
      done(report ? system(report) : null);
    });
  }

  _writev(chunks, done) {
    this._write(require('buffer').Buffer.concat(chunks.map(({ chunk }) => chunk)), 'buffer', done);
  }

  _final(done) {
    if (this.connecting) {
      this._pending = () => this._final(done);
      return;
    }
    if (this._handle === null) done();
    else native.tcpShutdown(this._handle, () => done());
  }

  _destroy(error, done) {
    this.connecting = false;
    this._pending = undefined;
    timers.clearTimeout(this._timer);
    this._timer = undefined;
    const handle = this._handle;
    this._handle = null;
    if (handle !== null) native.tcpClose(handle);
    done(error);
    // `close` comes with its flag, after `error`.
    timers.nextTick(() => this.emit('close', Boolean(error)));
  }

  destroySoon() {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', this.destroy);
  }

  resetAndDestroy() {
    return this.destroy();
  }

  setTimeout(delay, callback) {
    this.timeout = delay;
    timers.clearTimeout(this._timer);
    this._timer = undefined;
    if (delay > 0) {
      if (callback) this.once('timeout', callback);
      this._arm();
    } else if (callback) this.removeListener('timeout', callback);
    return this;
  }

  /** The timer holds nothing but this: clearing it lets the socket go. */
  _arm() {
    this._timer = timers.setTimeout(() => this.emit('timeout'), this.timeout);
    this._timer.unref?.();
  }

  _touch() {
    if (this._timer === undefined) return;
    if (this._timer.refresh) this._timer.refresh();
    else {
      timers.clearTimeout(this._timer);
      this._arm();
    }
  }

  setNoDelay(enable = true) {
    this._noDelay = Boolean(enable);
    if (this._handle !== null && !this.connecting) native.tcpNoDelay(this._handle, this._noDelay);
    return this;
  }

  setKeepAlive(enable = false, delay = 0) {
    this._keepAlive = enable ? { delay } : undefined;
    if (this._handle !== null && !this.connecting) native.tcpKeepAlive(this._handle, Boolean(enable), delay);
    return this;
  }

  ref() {
    return this;
  }

  unref() {
    return this;
  }

  address() {
    const { localAddress, localPort, family } = this._sockname;
    return localAddress === undefined ? {} : { address: localAddress, port: localPort, family };
  }

  get localAddress() {
    return this._sockname.localAddress;
  }

  get localPort() {
    return this._sockname.localPort;
  }

  get remoteAddress() {
    return this._sockname.remoteAddress;
  }

  get remotePort() {
    return this._sockname.remotePort;
  }

  get remoteFamily() {
    return this._sockname.family;
  }

  get bytesRead() {
    return this._bytesRead;
  }

  get bytesWritten() {
    return this._bytesWritten;
  }

  get bufferSize() {
    return this.writableLength;
  }

  get pending() {
    return this._handle === null || this.connecting;
  }

  get readyState() {
    if (this.connecting) return 'opening';
    // As it was when pg 6 and its like were written: they connect only what is closed.
    if (this._handle === null && !this._tls) return 'closed';
    if (this.readable && this.writable) return 'open';
    if (this.readable) return 'readOnly';
    return this.writable ? 'writeOnly' : 'closed';
  }

  get _connecting() {
    return this.connecting;
  }
}

Socket.prototype = Methods.prototype;
Object.defineProperty(Socket.prototype, 'constructor', { value: Socket, writable: true, configurable: true });
Object.setPrototypeOf(Socket, Duplex);

/** Writing after the other side ended is a broken pipe, unless the socket may be half open. */
function endQuietly() {
  if (!this.allowHalfOpen) this.write = writeAfterEnd;
}

function writeAfterEnd(chunk, encoding, callback) {
  const done = typeof encoding === 'function' ? encoding : callback;
  const error = coded(Error, 'EPIPE', 'This socket has been ended by the other party');
  if (typeof done === 'function') timers.nextTick(done, error);
  this.destroy(error);
  return false;
}

/** A socket may connect again after it was closed. */
function reopen(socket) {
  delete socket.write;
  socket._undestroy();
  socket._handle = null;
  socket._sockname = {};
}

const connect = (...args) => {
  const [options] = normalize(args);
  const socket = new Socket(options);
  return socket.connect(...args);
};

class Server {
  constructor() {
    throw refused('net.Server');
  }
}

module.exports = {
  BlockList: class BlockList {
    check() {
      return false;
    }
  },
  Server,
  Socket,
  Stream: Socket,
  connect,
  createConnection: connect,
  createServer: () => new Server(),
  getDefaultAutoSelectFamily: () => true,
  isIP,
  isIPv4,
  isIPv6,
  setDefaultAutoSelectFamily() {},
};
