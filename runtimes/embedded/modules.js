// `require` as action scripts see it: Node's modules as far as this runtime has them, the packages
// that Ferry brings, and the bundles that the operator put into the modules folder, which win.
//
// A version in the name (`require('pg@6.1')`) picks the bundled version of that major, or the next
// newer major, or the newest; the log says which. Files are refused; packages only.

'use strict';

const VERSIONED = /^((?:@[^/@]+\/)?[^/@]+)@([^/]+)(?:\/(.*))?$/u;
const PACKAGE = /^((?:@[^/]+\/)?[^/]+)(?:\/(.*))?$/u;
const FILE = /^\.{0,2}(?:\/|$)/u;

/** Node's modules: the name of the internal module, or what to take from it. */
const BUILTIN = { __proto__: null };
for (const name of ['assert', 'async_hooks', 'buffer', 'constants', 'crypto', 'diagnostics_channel', 'dns', 'events',
  'fs', 'http', 'http2', 'https', 'net', 'os', 'path', 'perf_hooks', 'process', 'punycode', 'querystring', 'readline',
  'stream', 'string_decoder', 'timers', 'tls', 'tty', 'url', 'util', 'zlib']) {
  BUILTIN[name] = () => require(name);
}
for (const name of ['child_process', 'cluster', 'dgram', 'domain', 'inspector', 'module', 'repl', 'trace_events', 'v8',
  'vm', 'worker_threads']) {
  BUILTIN[name] = () => require('refused').moduleOf(name);
}
Object.assign(BUILTIN, {
  'assert/strict': () => require('assert').strict,
  'dns/promises': () => require('dns').promises,
  'fs/promises': () => require('fs').promises,
  'path/posix': () => require('path').posix,
  'stream/promises': () => require('stream').promises,
  sys: () => require('util'),
  'timers/promises': () => require('timers-promises'),
  'util/types': () => require('util-types'),
});

/** Packages whose work is native here. */
const NATIVE = { __proto__: null, bcrypt: () => require('bcrypt'), bcryptjs: () => require('bcrypt') };

const major = (version) => Number.parseInt(version, 10) || 0;

/** The shipped entry for a wanted version text; the newest when none is wanted. */
function choose(entries, wanted) {
  const own = entries.find((entry) => !entry.shipped);
  if (own) return own;
  const sorted = [...entries].sort((one, other) => major(one.version) - major(other.version));
  const number = /\d+/u.exec(wanted ?? '');
  if (!number) return sorted.at(-1);
  return sorted.find((entry) => major(entry.version) >= Number(number[0])) ?? sorted.at(-1);
}

const unknown = (asked) => {
  const error = new Error(`Cannot find module '${asked}'`);
  error.code = 'MODULE_NOT_FOUND';
  error.requireStack = [];
  return error;
};

/** The bundles of one worker. `require` is what they get for their own imports. */
class Bundles {
  #require;
  #catalogue;
  /** What was evaluated, by file. */
  #holders = new Map();

  constructor(require) {
    this.#require = require;
  }

  entriesOf(name) {
    this.#catalogue ??= native.packageNames().filter((entry) => !entry.name.startsWith('internal/'));
    return this.#catalogue.filter((entry) => entry.name === name);
  }

  #evaluate(entry) {
    const known = this.#holders.get(entry.file);
    if (known !== undefined) return known.exports;
    const require = this.#require;
    const holder = { exports: {}, id: entry.name, filename: entry.file, loaded: false, children: [], paths: [], require };
    this.#holders.set(entry.file, holder);
    try {
      const run = native.compilePackage(entry.file);
      Reflect.apply(run, holder.exports, [holder.exports, require, holder, entry.file, '/']);
    } catch (reason) {
      this.#holders.delete(entry.file);
      throw reason;
    }
    holder.loaded = true;
    return holder.exports;
  }

  /** What a package gives under a path. Shipped bundles are tables of paths, an operator's is the package. */
  take(entry, path, asked) {
    if (path === 'package.json') return { name: entry.name, version: entry.version || '0.0.0' };
    const bundle = this.#evaluate(entry);
    if (!entry.shipped) return path === '' ? bundle : member(bundle, path, asked);
    const found = bundle[path.replace(/\.js$/u, '')];
    return found ? found() : member(bundle[''](), path, asked);
  }
}

/** `lodash/get`, `async/series`: members that are published as files too. */
function member(whole, path, asked) {
  const name = path.replace(/^(?:lib|fp)\//u, '').replace(/\.js$/u, '');
  if (Object.hasOwn(Object(whole), name)) return whole[name];
  throw unknown(asked);
}

/** `log(level, args)` takes a console line. */
function requireFrom(log) {
  const announced = new Set();
  const bundles = new Bundles(require);

  /** Says once per worker which version stands in for the one asked for. */
  const announce = (asked, name, version) => {
    if (announced.has(asked)) return;
    announced.add(asked);
    log('info', [`require('${asked}') gives ${name} ${version}`]);
  };

  function require(asked) {
    if (typeof asked !== 'string') throw new TypeError('require takes the name of a package');
    if (FILE.test(asked)) throw new Error(`require takes packages, not files: ${asked}`);
    const bare = asked.replace(/^node:/u, '').replace(/\/$/u, '');
    if (bare in BUILTIN) return builtin(bare);
    if (asked.startsWith('node:')) {
      throw coded(`No such built-in module: ${asked}`, 'ERR_UNKNOWN_BUILTIN_MODULE');
    }
    if (asked === 'ferry/password') return password();
    const [, name, wanted, path = ''] = VERSIONED.exec(bare) ?? splice(PACKAGE.exec(bare));
    const entries = bundles.entriesOf(name);
    if (entries.length === 0) {
      if (wanted !== undefined && name in BUILTIN) return builtin(name);
      if (!(name in NATIVE)) throw unknown(asked);
      if (wanted !== undefined) announce(asked, name, '(native)');
      return NATIVE[name]();
    }
    const entry = choose(entries, wanted);
    if (wanted !== undefined) announce(asked, name, entry.shipped ? entry.version : 'of the modules folder');
    return bundles.take(entry, path, asked);
  }
  require.resolve = (asked) => asked;
  require.cache = {};
  require.main = undefined;
  return require;
}

const splice = (match) => (match ? [match[0], match[1], undefined, match[2]] : []);

const coded = (message, code) => Object.assign(new Error(message), { code });

const made = new Map();

/** One object per module, so that what a script patches it finds again. */
function builtin(name) {
  if (!made.has(name)) made.set(name, BUILTIN[name]());
  return made.get(name);
}

function password() {
  if (!made.has('ferry/password')) made.set('ferry/password', require('password').passwordModule(native.ask));
  return made.get('ferry/password');
}

module.exports = { requireFrom };
