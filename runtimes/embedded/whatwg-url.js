// `URL` and `URLSearchParams`. Parsing is native; the search parameters are kept here.

'use strict';

const UPDATE = Symbol('update');
const MEMBERS = ['protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search', 'hash'];

const encodeForm = (text) => encodeURIComponent(String(text).toWellFormed())
  .replace(/%20/gu, '+').replace(/[!'()~]/gu, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);

function decodeForm(text) {
  return require('querystring').unescape(text.replace(/\+/gu, ' '));
}

function pairsOf(init) {
  if (init === undefined || init === null) return [];
  if (typeof init === 'object' || typeof init === 'function') {
    if (typeof init[Symbol.iterator] !== 'function') return Object.entries(init).map(([key, value]) => [key, String(value)]);
    return Array.from(init, (pair) => {
      const [key, value, ...more] = pair;
      if (value === undefined || more.length > 0) {
        throw require('errors').coded(TypeError, 'ERR_INVALID_TUPLE', 'Each query pair must be an iterable [name, value] tuple');
      }
      return [String(key), String(value)];
    });
  }
  const text = String(init).replace(/^\?/u, '');
  return text.split('&').filter((pair) => pair !== '').map((pair) => {
    const at = pair.indexOf('=');
    return at < 0 ? [decodeForm(pair), ''] : [decodeForm(pair.slice(0, at)), decodeForm(pair.slice(at + 1))];
  });
}

class URLSearchParams {
  #pairs;
  #changed;

  constructor(init, changed) {
    this.#pairs = pairsOf(init);
    this.#changed = typeof changed === 'function' ? changed : () => {};
  }

  get size() {
    return this.#pairs.length;
  }

  append(name, value) {
    this.#pairs.push([String(name), String(value)]);
    this.#changed(this);
  }

  delete(name, value) {
    this.#pairs = this.#pairs.filter(([key, own]) => key !== String(name) || (value !== undefined && own !== String(value)));
    this.#changed(this);
  }

  get(name) {
    return this.#pairs.find(([key]) => key === String(name))?.[1] ?? null;
  }

  getAll(name) {
    return this.#pairs.filter(([key]) => key === String(name)).map(([, value]) => value);
  }

  has(name, value) {
    return this.#pairs.some(([key, own]) => key === String(name) && (value === undefined || own === String(value)));
  }

  set(name, value) {
    const at = this.#pairs.findIndex(([key]) => key === String(name));
    if (at < 0) this.#pairs.push([String(name), String(value)]);
    else {
      this.#pairs[at][1] = String(value);
      this.#pairs = this.#pairs.filter(([key], index) => index <= at || key !== String(name));
    }
    this.#changed(this);
  }

  sort() {
    this.#pairs.sort(([one], [other]) => (one < other ? -1 : Number(one > other)));
    this.#changed(this);
  }

  forEach(visit, self) {
    for (const [key, value] of this.#pairs) Reflect.apply(visit, self, [value, key, this]);
  }

  * entries() {
    for (const [key, value] of this.#pairs) yield [key, value];
  }

  * keys() {
    for (const [key] of this.#pairs) yield key;
  }

  * values() {
    for (const [, value] of this.#pairs) yield value;
  }

  [Symbol.iterator]() {
    return this.entries();
  }

  toString() {
    return this.#pairs.map(([key, value]) => `${encodeForm(key)}=${encodeForm(value)}`).join('&');
  }

  /** The owning URL's search was replaced. */
  [UPDATE](search) {
    this.#pairs = pairsOf(search);
  }

  [Symbol.for('nodejs.util.inspect.custom')](depth, options, inspect) {
    const shown = this.#pairs.map(([key, value]) => `${inspect(key)} => ${inspect(value)}`);
    return shown.length === 0 ? 'URLSearchParams {}' : `URLSearchParams { ${shown.join(', ')} }`;
  }

  get [Symbol.toStringTag]() {
    return 'URLSearchParams';
  }
}

function invalid(input, base) {
  const error = require('errors').coded(TypeError, 'ERR_INVALID_URL', 'Invalid URL');
  error.input = input;
  if (base !== undefined) error.base = base;
  return error;
}

class URL {
  #parts;
  #params;

  constructor(input, base) {
    const text = String(input).toWellFormed();
    const root = base === undefined ? undefined : String(base).toWellFormed();
    try {
      this.#parts = native.urlParse(text, root);
    } catch {
      throw invalid(text, root);
    }
  }

  get searchParams() {
    this.#params ??= new URLSearchParams(this.#parts.search, (params) => {
      this.#parts = native.urlSet(this.#parts.href, 'search', String(params));
    });
    return this.#params;
  }

  get origin() {
    return this.#parts.origin;
  }

  get href() {
    return this.#parts.href;
  }

  set href(value) {
    try {
      this.#parts = native.urlParse(String(value));
    } catch {
      throw invalid(String(value));
    }
    this.#params?.[UPDATE](this.#parts.search);
  }

  toString() {
    return this.#parts.href;
  }

  toJSON() {
    return this.#parts.href;
  }

  [Symbol.for('nodejs.util.inspect.custom')](depth, options, inspect) {
    const shown = {};
    for (const name of ['href', 'origin', ...MEMBERS]) shown[name] = this[name];
    shown.searchParams = this.searchParams;
    return `URL ${inspect(shown, options)}`;
  }

  get [Symbol.toStringTag]() {
    return 'URL';
  }

  static canParse(input, base) {
    try {
      return Boolean(new URL(input, base));
    } catch {
      return false;
    }
  }

  static {
    for (const name of MEMBERS) {
      Object.defineProperty(this.prototype, name, {
        enumerable: true,
        configurable: true,
        get() {
          return this.#parts[name];
        },
        set(value) {
          this.#parts = native.urlSet(this.#parts.href, name, String(value));
          if (name === 'search') this.#params?.[UPDATE](this.#parts.search);
        },
      });
    }
  }
}

module.exports = { URL, URLSearchParams };
