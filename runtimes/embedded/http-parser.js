// Reads one HTTP/1.1 response after the other from the bytes of a connection.

'use strict';

const { Buffer } = require('buffer');

const MAX_HEAD = 64 << 10;

const fault = (message, code) => Object.assign(new Error(`Parse Error: ${message}`), { code, reason: message });

/** The numbers, text and raw headers of a head. */
function parseHead(text) {
  const lines = text.split(/\r?\n/u);
  const status = /^HTTP\/(\d)\.(\d) (\d{3})(?: (.*))?$/u.exec(lines[0]);
  if (!status) throw fault('Expected HTTP/', 'HPE_INVALID_CONSTANT');
  const rawHeaders = [];
  for (const line of lines.slice(1)) {
    if (line === '') continue;
    if (/^[ \t]/u.test(line) && rawHeaders.length > 0) {
      rawHeaders[rawHeaders.length - 1] += ` ${line.trim()}`;
      continue;
    }
    const at = line.indexOf(':');
    if (at <= 0) throw fault('Invalid header token', 'HPE_INVALID_HEADER_TOKEN');
    rawHeaders.push(line.slice(0, at), line.slice(at + 1).trim());
  }
  return {
    httpVersionMajor: Number(status[1]),
    httpVersionMinor: Number(status[2]),
    statusCode: Number(status[3]),
    statusMessage: status[4] ?? '',
    rawHeaders,
  };
}

/** The last value of a header in a raw list, in lower case. */
function valueOf(rawHeaders, wanted) {
  let found;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index].toLowerCase() === wanted) found = rawHeaders[index + 1].toLowerCase();
  }
  return found;
}

class ResponseParser {
  /** `events`: head(head) -> true when no body follows, body(bytes), end(trailers). */
  constructor(events) {
    this._events = events;
    this._rest = Buffer.alloc(0);
    this._step = this._head;
    this._left = 0;
    this.finished = false;
  }

  /** Feeds bytes; what belongs to nobody stays in `rest`. */
  feed(bytes) {
    this._rest = this._rest.length === 0 ? bytes : Buffer.concat([this._rest, bytes]);
    while (!this.finished && this._step());
  }

  /** The connection ended: true when that was allowed to happen here. */
  close() {
    if (this._step === this._untilClose) {
      this._finish();
      return true;
    }
    return this.finished;
  }

  get rest() {
    return this._rest;
  }

  /** Bytes up to and without a line end, or undefined. */
  _line() {
    const at = this._rest.indexOf('\n');
    if (at < 0) {
      if (this._rest.length > MAX_HEAD) throw fault('Header overflow', 'HPE_HEADER_OVERFLOW');
      return undefined;
    }
    const line = this._rest.toString('latin1', 0, at).replace(/\r$/u, '');
    this._rest = this._rest.subarray(at + 1);
    return line;
  }

  _head() {
    let end = this._rest.indexOf('\r\n\r\n');
    let skip = 4;
    if (end < 0) {
      end = this._rest.indexOf('\n\n');
      skip = 2;
    }
    if (end < 0) {
      if (this._rest.length > MAX_HEAD) throw fault('Header overflow', 'HPE_HEADER_OVERFLOW');
      return false;
    }
    const head = parseHead(this._rest.toString('latin1', 0, end));
    this._rest = this._rest.subarray(end + skip);
    const isEmpty = this._events.head(head);
    // 100 Continue and its like come before the response proper.
    if (head.statusCode < 200 && head.statusCode !== 101) return true;
    if (isEmpty) return this._finish();
    const length = valueOf(head.rawHeaders, 'content-length');
    if (valueOf(head.rawHeaders, 'transfer-encoding')?.includes('chunked')) this._step = this._chunkHead;
    else if (length !== undefined) {
      this._left = Number(length);
      if (!Number.isInteger(this._left) || this._left < 0) {
        throw fault('Invalid character in Content-Length', 'HPE_INVALID_CONTENT_LENGTH');
      }
      if (this._left === 0) return this._finish();
      this._step = this._counted;
    } else this._step = this._untilClose;
    return true;
  }

  _take() {
    const part = this._rest.subarray(0, Math.min(this._left, this._rest.length));
    this._rest = this._rest.subarray(part.length);
    this._left -= part.length;
    if (part.length > 0) this._events.body(part);
  }

  _counted() {
    this._take();
    return this._left === 0 ? this._finish() : false;
  }

  _untilClose() {
    this._left = Infinity;
    this._take();
    return false;
  }

  _chunkHead() {
    const line = this._line();
    if (line === undefined) return false;
    if (!/^[0-9a-fA-F]+/u.test(line)) throw fault('Invalid character in chunk size', 'HPE_INVALID_CHUNK_SIZE');
    this._left = Number.parseInt(line, 16);
    this._step = this._left === 0 ? this._trailers : this._chunkBody;
    return true;
  }

  _chunkBody() {
    this._take();
    if (this._left > 0) return false;
    this._step = this._chunkEnd;
    return true;
  }

  _chunkEnd() {
    if (this._line() === undefined) return false;
    this._step = this._chunkHead;
    return true;
  }

  _trailers() {
    const line = this._line();
    if (line === undefined) return false;
    return line === '' ? this._finish() : true;
  }

  _finish() {
    this.finished = true;
    this._events.end();
    return false;
  }
}

module.exports = { ResponseParser };
