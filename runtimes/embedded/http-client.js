// `ClientRequest`: one HTTP/1.1 request and the response to it.

'use strict';

const { Writable } = require('stream');
const { Buffer } = require('buffer');
const { coded, invalidArgument } = require('errors');
const { IncomingMessage } = require('http-message');
const { ResponseParser } = require('http-parser');
const timers = require('timers');

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/u;
const BAD_VALUE = /[^\t\x20-\x7e\x80-\xff]/u;
const BAD_PATH = /[^\x21-\xff]/u;
/** Methods that have no body unless one is given. */
const BODILESS = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT']);

function checkHeader(name, value) {
  if (typeof name !== 'string' || !TOKEN.test(name)) {
    throw coded(TypeError, 'ERR_INVALID_HTTP_TOKEN', `Header name must be a valid HTTP token ["${name}"]`);
  }
  if (value === undefined) {
    throw coded(TypeError, 'ERR_HTTP_INVALID_HEADER_VALUE', `Invalid value "undefined" for header "${name}"`);
  }
  for (const one of Array.isArray(value) ? value : [value]) {
    if (BAD_VALUE.test(String(one))) {
      throw coded(TypeError, 'ERR_INVALID_CHAR', `Invalid character in header content ["${name}"]`);
    }
  }
}

const hangUp = () => Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });

class ClientRequest extends Writable {
  constructor(options, callback) {
    super({ autoDestroy: false, emitClose: false, decodeStrings: true });
    this.agent = options.agent;
    this.method = String(options.method ?? 'GET').toUpperCase();
    if (!TOKEN.test(this.method)) {
      throw coded(TypeError, 'ERR_INVALID_HTTP_TOKEN', `Method must be a valid HTTP token ["${options.method}"]`);
    }
    this.path = options.path || '/';
    if (BAD_PATH.test(this.path)) {
      throw coded(TypeError, 'ERR_UNESCAPED_CHARACTERS', 'Request path contains unescaped characters');
    }
    this.host = options.host;
    this.protocol = options.protocol;
    this.socketPath = options.socketPath;
    this.maxHeadersCount = null;
    this.aborted = false;
    this.reusedSocket = false;
    this.finished = false;
    this.headersSent = false;
    this.res = null;
    this.socket = null;
    this.connection = null;
    this.shouldKeepAlive = Boolean(this.agent?.keepAlive);
    this.useChunkedEncodingByDefault = !BODILESS.has(this.method);
    this._headers = new Map();
    this._held = [];
    this._soleLength = undefined;
    this._chunked = false;
    this._gone = false;
    this._parser = undefined;
    this._release = undefined;
    if (options.timeout !== undefined) this.timeout = options.timeout;
    if (callback) this.once('response', callback);
    this._defaults(options);
    if (options.signal) this._obey(options.signal);
    this._dispatch(options);
  }

  _defaults({ headers, auth, host, port, defaultPort, setHost = true }) {
    if (Array.isArray(headers)) {
      const isFlat = !Array.isArray(headers[0]);
      const pairs = isFlat ? headers.flatMap((name, index) => (index % 2 ? [] : [[name, headers[index + 1]]])) : headers;
      for (const [name, value] of pairs) this.setHeader(name, value);
    } else for (const name of Object.keys(headers ?? {})) this.setHeader(name, headers[name]);
    if (setHost && !this.hasHeader('host')) {
      const bare = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
      this.setHeader('Host', port && Number(port) !== defaultPort ? `${bare}:${port}` : bare);
    }
    if (auth && !this.hasHeader('authorization')) {
      this.setHeader('Authorization', `Basic ${Buffer.from(auth).toString('base64')}`);
    }
  }

  _obey(signal) {
    const { abortError } = require('event-target');
    if (signal.aborted) timers.nextTick(() => this.destroy(abortError(signal)));
    else signal.addEventListener('abort', () => this.destroy(abortError(signal)), { once: true });
  }

  _dispatch(options) {
    if (this.agent) {
      this.agent.addRequest(this, options);
      return;
    }
    this._last = true;
    const made = options.createConnection(options, (error, socket) => {
      if (!this.socket) this.onSocket(socket, error);
    });
    if (made && typeof made.on === 'function') timers.nextTick(() => this.socket || this.onSocket(made));
  }

  // ---- headers ---------------------------------------------------------------------------------

  setHeader(name, value) {
    if (this.headersSent) throw coded(Error, 'ERR_HTTP_HEADERS_SENT', 'Cannot set headers after they are sent to the client');
    checkHeader(name, value);
    this._headers.set(name.toLowerCase(), [name, value]);
    return this;
  }

  appendHeader(name, value) {
    const before = this.getHeader(name);
    return this.setHeader(name, before === undefined ? value : [before, value].flat());
  }

  getHeader(name) {
    return this._headers.get(String(name).toLowerCase())?.[1];
  }

  getHeaderNames() {
    return [...this._headers.keys()];
  }

  getRawHeaderNames() {
    return [...this._headers.values()].map(([name]) => name);
  }

  getHeaders() {
    return Object.fromEntries([...this._headers].map(([key, [, value]]) => [key, value]));
  }

  hasHeader(name) {
    return this._headers.has(String(name).toLowerCase());
  }

  removeHeader(name) {
    if (this.headersSent) throw coded(Error, 'ERR_HTTP_HEADERS_SENT', 'Cannot remove headers after they are sent to the client');
    this._headers.delete(String(name).toLowerCase());
  }

  flushHeaders() {
    this._sendHead();
  }

  // ---- writing ---------------------------------------------------------------------------------

  end(chunk, encoding, callback) {
    if (typeof chunk !== 'function' && !this.headersSent && this.writableLength === 0) {
      const known = typeof encoding === 'string' ? encoding : undefined;
      this._soleLength = chunk === undefined || chunk === null ? 0 : Buffer.byteLength(chunk, known);
    }
    this.finished = true;
    return super.end(chunk, encoding, callback);
  }

  _write(chunk, encoding, done) {
    this._sendHead();
    if (!this._chunked) this._put(chunk, done);
    else if (chunk.length > 0) {
      this._put(Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n')]), done);
    } else done();
  }

  _final(done) {
    this._sendHead();
    if (this._chunked) this._put(Buffer.from('0\r\n\r\n'), done);
    else this._put(Buffer.alloc(0), done);
  }

  _sendHead() {
    if (this.headersSent) return;
    this._frame();
    if (!this.hasHeader('connection')) this.setHeader('Connection', this.shouldKeepAlive ? 'keep-alive' : 'close');
    else if (/\bclose\b/iu.test(String(this.getHeader('connection')))) this._last = true;
    this.headersSent = true;
    let head = `${this.method} ${this.path} HTTP/1.1\r\n`;
    for (const [name, value] of this._headers.values()) {
      for (const one of Array.isArray(value) ? value : [value]) head += `${name}: ${one}\r\n`;
    }
    this._header = `${head}\r\n`;
    this._put(Buffer.from(this._header, 'latin1'));
  }

  /** Says how long the body is, if the caller did not. */
  _frame() {
    if (this.hasHeader('content-length')) return;
    if (this.hasHeader('transfer-encoding')) {
      this._chunked = /chunked/iu.test(String(this.getHeader('transfer-encoding')));
      return;
    }
    if (this._soleLength > 0 || (this._soleLength === 0 && this.useChunkedEncodingByDefault)) {
      this.setHeader('Content-Length', String(this._soleLength));
    } else if (this._soleLength === undefined && this.useChunkedEncodingByDefault) {
      this.setHeader('Transfer-Encoding', 'chunked');
      this._chunked = true;
    }
  }

  _put(bytes, done = () => {}) {
    if (!this.socket) this._held.push([bytes, done]);
    else if (this.socket.destroyed || bytes.length === 0) done();
    else this.socket.write(bytes, () => done());
  }

  // ---- the socket ------------------------------------------------------------------------------

  onSocket(socket, error) {
    if (error || !socket) {
      this.destroy(error ?? hangUp());
      return;
    }
    if (this._gone) {
      socket.destroy();
      return;
    }
    this.socket = socket;
    this.connection = socket;
    this._listen(socket);
    this.emit('socket', socket);
    if (this.timeout) socket.setTimeout(this.timeout);
    for (const [bytes, done] of this._held.splice(0)) this._put(bytes, done);
  }

  _listen(socket) {
    this._parser = new ResponseParser({
      head: (head) => this._heard(head),
      body: (bytes) => {
        if (this.res && !this.res.destroyed && !this.res.push(bytes)) socket.pause();
      },
      end: () => this._answered(),
    });
    this._on = {
      data: (bytes) => this._fed(bytes),
      end: () => this._cut(),
      close: () => this._cut(),
      error: (reason) => this._broken(reason),
      timeout: () => this.emit('timeout') || this.res?.emit('timeout'),
    };
    for (const [event, listener] of Object.entries(this._on)) socket.on(event, listener);
  }

  _unlisten() {
    for (const [event, listener] of Object.entries(this._on ?? {})) this.socket.removeListener(event, listener);
    this._on = undefined;
  }

  _fed(bytes) {
    try {
      this._parser.feed(bytes);
    } catch (reason) {
      this._broken(reason);
    }
  }

  /** A head arrived; true when no body follows it. */
  _heard(head) {
    if (head.statusCode < 200 && head.statusCode !== 101) {
      if (head.statusCode === 100) this.emit('continue');
      this.emit('information', head);
      return false;
    }
    const response = new IncomingMessage(this.socket, head);
    response.req = this;
    this.res = response;
    // Before any listener of the caller: in its own `end` the socket is not free yet.
    response.once('end', () => this._release?.(true));
    response.once('close', () => this._release?.(false));
    if (head.statusCode === 101 || (this.method === 'CONNECT' && head.statusCode < 300)) return true;
    const keep = /\b(?:close|keep-alive)\b/iu.exec(response.headers.connection ?? '')?.[0].toLowerCase();
    if (keep === 'close' || (head.httpVersionMinor === 0 && keep !== 'keep-alive')) this.shouldKeepAlive = false;
    if (!this.emit('response', response)) response.resume();
    return this.method === 'HEAD' || head.statusCode === 204 || head.statusCode === 304;
  }

  _answered() {
    const { res, socket } = this;
    if (res.statusCode === 101 || this.method === 'CONNECT') {
      this._handOver(res, socket);
      return;
    }
    res.complete = true;
    res.push(null);
    const isClean = this.writableFinished && socket.writable && this._parser.rest.length === 0;
    const canKeep = this.shouldKeepAlive && !this._last && isClean;
    this._unlisten();
    this._gone = true;
    if (canKeep) {
      socket.setTimeout(0);
      this._release = (isRead) => {
        this._release = undefined;
        if (isRead) timers.nextTick(() => socket.emit('free'));
        else socket.destroy();
      };
    } else {
      socket.on('error', () => {});
      socket.destroySoon?.();
    }
    this._close();
  }

  /** After 101 or CONNECT the connection belongs to the listener. */
  _handOver(response, socket) {
    const event = this.method === 'CONNECT' ? 'connect' : 'upgrade';
    response.complete = true;
    this._unlisten();
    this._gone = true;
    socket.emit('agentRemove');
    if (!this.emit(event, response, socket, this._parser.rest)) socket.destroy();
    this._close();
  }

  /** The connection ended before or inside the response. */
  _cut() {
    if (this._gone) return;
    if (this.res && this._parser.close()) return;
    this._broken(this.res ? Object.assign(new Error('aborted'), { code: 'ECONNRESET' }) : hangUp());
  }

  _broken(reason) {
    if (this._gone) return;
    this._gone = true;
    if (this.socket) {
      this._unlisten();
      this.socket.on('error', () => {});
      this.socket.destroy();
    }
    if (this.res) {
      this.res.aborted = true;
      this.res.emit('aborted');
      this.res.destroy(reason);
    } else timers.nextTick(() => this.emit('error', reason));
    this._close();
  }

  _close() {
    this.destroyed = true;
    timers.nextTick(() => this.emit('close'));
  }

  // ---- giving up -------------------------------------------------------------------------------

  abort() {
    if (this.aborted) return;
    this.aborted = true;
    timers.nextTick(() => this.emit('abort'));
    this.destroy();
  }

  destroy(reason) {
    if (this._gone) return this;
    if (this.res) {
      this.res.destroy(reason);
      this._broken(reason ?? hangUp());
      return this;
    }
    this._broken(reason ?? hangUp());
    return this;
  }

  setTimeout(delay, callback) {
    if (typeof delay !== 'number') throw invalidArgument('msecs', 'of type number', delay);
    this.timeout = delay;
    if (callback) this.once('timeout', callback);
    this.socket?.setTimeout(delay);
    return this;
  }

  setNoDelay(enable = true) {
    if (this.socket) this.socket.setNoDelay(enable);
    else this.once('socket', (socket) => socket.setNoDelay(enable));
  }

  setSocketKeepAlive(enable, delay) {
    if (this.socket) this.socket.setKeepAlive(enable, delay);
    else this.once('socket', (socket) => socket.setKeepAlive(enable, delay));
  }
}

module.exports = { ClientRequest, checkHeader };
