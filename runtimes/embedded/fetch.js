// `fetch`, `Headers`, `Request`, `Response`, on `http` and `https`.

'use strict';

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const MAX_REDIRECTS = 20;
/** Bytes of a body that are taken before somebody asks for them. */
const READ_AHEAD = 64 << 10;
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/u;

class Headers {
  #fields = new Map();

  constructor(init = undefined) {
    if (init === undefined || init === null) return;
    const pairs = typeof init[Symbol.iterator] === 'function' ? init : Object.entries(init);
    for (const [name, value] of pairs) this.append(name, value);
  }

  append(name, value) {
    const key = this.#key(name);
    const text = String(value).trim();
    if (!this.#fields.has(key)) this.#fields.set(key, [text]);
    else this.#fields.get(key).push(text);
  }

  set(name, value) {
    this.#fields.set(this.#key(name), [String(value).trim()]);
  }

  delete(name) {
    this.#fields.delete(this.#key(name));
  }

  get(name) {
    return this.#fields.get(this.#key(name))?.join(', ') ?? null;
  }

  has(name) {
    return this.#fields.has(this.#key(name));
  }

  getSetCookie() {
    return [...(this.#fields.get('set-cookie') ?? [])];
  }

  forEach(visit, self) {
    for (const [name, value] of this) Reflect.apply(visit, self, [value, name, this]);
  }

  * entries() {
    for (const [name, values] of [...this.#fields].sort(([one], [other]) => (one < other ? -1 : 1))) {
      if (name === 'set-cookie') for (const value of values) yield [name, value];
      else yield [name, values.join(', ')];
    }
  }

  * keys() {
    for (const [name] of this.entries()) yield name;
  }

  * values() {
    for (const [, value] of this.entries()) yield value;
  }

  [Symbol.iterator]() {
    return this.entries();
  }

  #key(name) {
    const key = String(name);
    if (!TOKEN.test(key)) throw new TypeError(`Headers: ${key} is an invalid header name.`);
    return key.toLowerCase();
  }

  get [Symbol.toStringTag]() {
    return 'Headers';
  }
}

/** The bytes of a body and the content type it brings along. */
function packed(body) {
  const { Buffer } = require('buffer');
  if (body === undefined || body === null) return { bytes: undefined };
  if (typeof body === 'string') return { bytes: Buffer.from(body), type: 'text/plain;charset=UTF-8' };
  if (ArrayBuffer.isView(body)) return { bytes: Buffer.from(body.buffer, body.byteOffset, body.byteLength) };
  if (body instanceof ArrayBuffer) return { bytes: Buffer.from(body) };
  if (body instanceof require('whatwg-url').URLSearchParams) {
    return { bytes: Buffer.from(String(body)), type: 'application/x-www-form-urlencoded;charset=UTF-8' };
  }
  const { Blob, FormData, multipart } = require('blob');
  if (body instanceof FormData) return multipart(body);
  if (body instanceof Blob) return { bytes: Blob.bytesOf(body), type: body.type || undefined };
  if (typeof body[Symbol.asyncIterator] === 'function') return { chunks: body };
  return { bytes: Buffer.from(String(body)), type: 'text/plain;charset=UTF-8' };
}

/** What Request and Response share. */
class Body {
  #packed;
  #stream;
  #used = false;

  constructor(content) {
    this.#packed = content;
  }

  get body() {
    const { bytes, chunks } = this.#packed;
    if (bytes === undefined && chunks === undefined) return null;
    this.#stream ??= require('web-stream').streamOf(chunks ?? [bytes]);
    return this.#stream;
  }

  get bodyUsed() {
    return this.#used || Boolean(this.#stream?.locked);
  }

  async #bytes() {
    if (this.bodyUsed) throw new TypeError('Body is unusable: Body has already been read');
    const { Buffer } = require('buffer');
    const { bytes, chunks } = this.#packed;
    if (bytes === undefined && chunks === undefined) return Buffer.alloc(0);
    this.#used = true;
    if (bytes !== undefined) return bytes;
    const list = [];
    for await (const chunk of this.#stream ?? chunks) list.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
    return Buffer.concat(list);
  }

  /** For `clone`: both ends then read the same bytes. */
  static async halve(owner) {
    const bytes = await owner.#bytes();
    owner.#used = false;
    owner.#packed = { bytes };
    return bytes;
  }

  static of(owner) {
    return owner.#packed;
  }

  async arrayBuffer() {
    return Uint8Array.from(await this.#bytes()).buffer;
  }

  async bytes() {
    return Uint8Array.from(await this.#bytes());
  }

  async blob() {
    return new (require('blob').Blob)([await this.#bytes()], { type: this.headers.get('content-type') ?? '' });
  }

  async text() {
    return (await this.#bytes()).toString().replace(/^\ufeff/u, '');
  }

  async json() {
    return JSON.parse(await this.text());
  }

  async formData() {
    const form = new (require('blob').FormData)();
    const type = this.headers.get('content-type') ?? '';
    if (!type.includes('application/x-www-form-urlencoded')) throw new TypeError(`this body is no form: ${type}`);
    for (const [name, value] of new (require('whatwg-url').URLSearchParams)(await this.text())) form.append(name, value);
    return form;
  }
}

class Request extends Body {
  constructor(input, init = {}) {
    const isRequest = input instanceof Request;
    const method = String(init.method ?? (isRequest ? input.method : 'GET'));
    const upper = /^(?:get|head|post|put|delete|options)$/iu.test(method) ? method.toUpperCase() : method;
    const given = init.body ?? null;
    if (given !== null && (upper === 'GET' || upper === 'HEAD')) {
      throw new TypeError('Request with GET/HEAD method cannot have body.');
    }
    const content = given === null && isRequest ? Body.of(input) : packed(given);
    super(content);
    const { URL } = require('whatwg-url');
    try {
      this.url = isRequest ? input.url : new URL(input).href;
    } catch (reason) {
      throw new TypeError(`Failed to parse URL from ${input}`, { cause: reason });
    }
    this.method = upper;
    this.headers = new Headers(init.headers ?? (isRequest ? input.headers : undefined));
    if (content.type && !this.headers.has('content-type')) this.headers.set('content-type', content.type);
    this.redirect = init.redirect ?? (isRequest ? input.redirect : 'follow');
    this.signal = init.signal ?? (isRequest ? input.signal : null);
    this.credentials = 'same-origin';
    this.mode = 'cors';
    this.cache = 'default';
  }

  clone() {
    return new Request(this);
  }

  get [Symbol.toStringTag]() {
    return 'Request';
  }
}

class Response extends Body {
  constructor(body = null, init = {}) {
    const content = packed(body);
    super(content);
    this.status = init.status ?? 200;
    this.statusText = init.statusText ?? '';
    this.headers = new Headers(init.headers);
    if (content.type && !this.headers.has('content-type')) this.headers.set('content-type', content.type);
    this.url = init.url ?? '';
    this.redirected = init.redirected ?? false;
    this.type = init.url === undefined ? 'default' : 'basic';
  }

  get ok() {
    return this.status >= 200 && this.status < 300;
  }

  clone() {
    const bytes = Body.halve(this);
    const { status, statusText, headers, url, redirected } = this;
    return new Response((async function* half() {
      yield await bytes;
    })(), { status, statusText, headers, url, redirected });
  }

  static json(value, init = {}) {
    const headers = new Headers(init.headers);
    if (!headers.has('content-type')) headers.set('content-type', 'application/json');
    return new Response(JSON.stringify(value), { ...init, headers });
  }

  static error() {
    return new Response(null, { status: 0 });
  }

  static redirect(url, status = 302) {
    return new Response(null, { status, headers: { location: String(url) } });
  }

  get [Symbol.toStringTag]() {
    return 'Response';
  }
}

/**
 * The response stream, unpacked if it was packed. It is read ahead whether or not anybody wants it:
 * scripts look at the status alone, and the connection of a body that nobody reads would stay open.
 */
function unpacked(message) {
  const { PassThrough, pipeline } = require('stream');
  const zlib = { gzip: 'createGunzip', 'x-gzip': 'createGunzip', deflate: 'createInflate' }[message.headers['content-encoding']];
  const ahead = new PassThrough({ highWaterMark: READ_AHEAD });
  return zlib ? pipeline(message, require('zlib')[zlib](), ahead, () => {}) : pipeline(message, ahead, () => {});
}

/** One request and the head of its response. */
function send(url, { method, headers, signal }, content) {
  const client = require(url.protocol === 'https:' ? 'https' : 'http');
  return new Promise((resolve, reject) => {
    const request = client.request(url, { method, headers: Object.fromEntries(headers), signal: signal ?? undefined });
    request.on('response', resolve);
    request.on('error', reject);
    if (content.chunks) require('stream').Readable.from(content.chunks).pipe(request);
    else request.end(content.bytes);
  });
}

/** What the next request of a redirection is; `undefined` when there is none. */
function next(request, url, message) {
  const { location } = message.headers;
  if (!REDIRECTS.has(message.statusCode) || location === undefined) return undefined;
  const target = new (require('whatwg-url').URL)(location, url);
  const turns = message.statusCode === 303 ? request.method !== 'HEAD' : message.statusCode < 303 && request.method === 'POST';
  if (turns) {
    request.method = 'GET';
    request.content = {};
    for (const name of ['content-length', 'content-type', 'content-encoding', 'transfer-encoding']) request.headers.delete(name);
  }
  if (target.origin !== url.origin) for (const name of ['authorization', 'cookie', 'host']) request.headers.delete(name);
  return target;
}

async function perform(given) {
  const { URL } = require('whatwg-url');
  const request = { method: given.method, headers: new Headers(given.headers), signal: given.signal, content: Body.of(given) };
  for (const [name, value] of [['accept', '*/*'], ['accept-language', '*'], ['sec-fetch-mode', 'cors'],
    ['user-agent', 'node'], ['accept-encoding', 'gzip, deflate']]) {
    if (!request.headers.has(name)) request.headers.set(name, value);
  }
  let url = new URL(given.url);
  for (let count = 0; ; count += 1) {
    if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new TypeError('unknown scheme');
    const message = await send(url, request, request.content);
    const target = given.redirect === 'manual' ? undefined : next(request, url, message);
    if (target === undefined) {
      const isEmpty = given.method === 'HEAD' || message.statusCode === 204 || message.statusCode === 304;
      if (isEmpty) message.resume();
      const pairs = [];
      for (let index = 0; index < message.rawHeaders.length; index += 2) pairs.push(message.rawHeaders.slice(index, index + 2));
      return new Response(isEmpty ? null : unpacked(message),
        { status: message.statusCode, statusText: message.statusMessage, headers: pairs, url: url.href, redirected: count > 0 });
    }
    message.resume();
    if (given.redirect === 'error') throw new TypeError('unexpected redirect');
    if (count >= MAX_REDIRECTS) throw new TypeError('redirect count exceeded');
    url = target;
  }
}

async function fetch(input, init) {
  const request = new Request(input, init);
  const { signal } = request;
  if (signal?.aborted) throw signal.reason;
  try {
    return await perform(request);
  } catch (reason) {
    if (signal?.aborted) throw signal.reason;
    throw new TypeError('fetch failed', { cause: reason });
  }
}

module.exports = { Headers, Request, Response, fetch };
