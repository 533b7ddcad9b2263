// `IncomingMessage`: a response as its reader sees it.

'use strict';

const { Readable } = require('stream');

/** Headers of which only the first counts; all others are joined. */
const SINGLE = new Set(['age', 'authorization', 'content-length', 'content-type', 'etag', 'expires', 'from', 'host',
  'if-modified-since', 'if-unmodified-since', 'last-modified', 'location', 'max-forwards', 'proxy-authorization', 'referer',
  'retry-after', 'server', 'user-agent']);

function headersOf(rawHeaders) {
  const headers = {};
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index].toLowerCase();
    const value = rawHeaders[index + 1];
    if (name === 'set-cookie') (headers[name] ??= []).push(value);
    else if (headers[name] === undefined) headers[name] = value;
    else if (!SINGLE.has(name)) headers[name] += `${name === 'cookie' ? ';' : ','} ${value}`.replace(/^; /u, '; ');
  }
  return headers;
}

class IncomingMessage extends Readable {
  constructor(socket, head) {
    super({ autoDestroy: true });
    this.socket = socket;
    this.connection = socket;
    this.complete = false;
    this.aborted = false;
    this.method = null;
    this.url = '';
    this.trailers = {};
    this.rawTrailers = [];
    this.rawHeaders = [];
    Object.assign(this, head);
    this.httpVersion = `${this.httpVersionMajor ?? 1}.${this.httpVersionMinor ?? 1}`;
    this.client = socket;
    this._headers = undefined;
  }

  get headers() {
    this._headers ??= headersOf(this.rawHeaders);
    return this._headers;
  }

  set headers(value) {
    this._headers = value;
  }

  get headersDistinct() {
    const distinct = {};
    for (let index = 0; index < this.rawHeaders.length; index += 2) {
      (distinct[this.rawHeaders[index].toLowerCase()] ??= []).push(this.rawHeaders[index + 1]);
    }
    return distinct;
  }

  _read() {
    this.socket?.resume();
  }

  setTimeout(delay, callback) {
    if (callback) this.once('timeout', callback);
    this.socket?.setTimeout(delay);
    return this;
  }

  _destroy(error, done) {
    // Reading to the end returns the socket; leaving early ends it.
    if (!this.complete && this.socket && !this.socket.destroyed) {
      if (!this.readableEnded) {
        this.aborted = true;
        this.emit('aborted');
      }
      this.socket.destroy(error ?? undefined);
    }
    done(error);
  }
}

module.exports = { IncomingMessage };
