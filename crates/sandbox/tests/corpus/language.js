// Ordinary scripts without a service: their results must be the same on every runtime.
// A case begins with `//# name`; `needs WORD` after the name says which service it uses.

//# pbkdf2_of_aspnet
function login(email, password, callback) {
  const crypto = require('crypto');
  const stored = Buffer.from('AKNkZ3N0MTIzNDU2Nzg5MGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6MDEyMzQ1Njc4OQ==', 'base64');
  const salt = stored.slice(1, 17);
  crypto.pbkdf2('pw', salt, 1000, 32, 'sha1', (error, made) => callback(error, {
    made: made.toString('base64'), order: Buffer.compare(made, stored.slice(17, 49)),
    wide: Buffer.from('pässword', 'utf16le').toString('hex'), length: Buffer.concat([salt, made]).length,
  }));
}
//# digests
function login(email, password, callback) {
  const { createHash, createHmac, getHashes } = require('crypto');
  const joined = createHash('sha1').update('a', 'utf8').update(Buffer.from('b'));
  callback(null, [joined.copy().digest('hex'), joined.digest('base64'), createHash('md5').update('é').digest('base64url'),
    createHmac('sha512', Buffer.from('k')).update('x').digest('hex'), createHash('RSA-SHA256').update('').digest('hex'),
    createHash('ripemd160').update('abc').digest('hex'), getHashes().includes('sha256')]);
}
//# digest_misuse
function login(email, password, callback) {
  const crypto = require('crypto');
  const seen = [];
  const attempt = (work) => {
    try {
      seen.push(work());
    } catch (error) {
      seen.push([error.name, error.code, error.message]);
    }
  };
  const hash = crypto.createHash('sha256');
  hash.digest();
  attempt(() => hash.digest());
  attempt(() => crypto.createHash('sha256').update(5));
  attempt(() => crypto.createHmac('nosuch', 'k'));
  attempt(() => crypto.pbkdf2Sync('p', 's', 0, 16, 'sha1'));
  attempt(() => crypto.timingSafeEqual(Buffer.from('a'), Buffer.from('ab')));
  attempt(() => crypto.randomBytes('4'));
  callback(null, seen);
}
//# key_derivation
function login(email, password, callback) {
  const crypto = require('crypto');
  crypto.scrypt('pw', 'salt', 32, { N: 1024, r: 8, p: 1 }, (error, made) => callback(error, [
    made.toString('hex'), crypto.scryptSync('pw', 'salt', 16, { cost: 512 }).toString('hex'),
    crypto.pbkdf2Sync('p', 's', 1000, 16, 'sha512').toString('hex'),
    Buffer.from(crypto.hkdfSync('sha256', 'key', 'salt', 'info', 20)).toString('hex'), crypto.randomBytes(4).length,
    crypto.randomUUID().length, crypto.randomInt(1), crypto.timingSafeEqual(Buffer.from('ab'), Buffer.from('ab'))]));
}
//# ciphers
function login(email, password, callback) {
  const crypto = require('crypto');
  const seen = [];
  for (const [name, key, iv] of [['aes-256-cbc', 32, 16], ['aes-128-ecb', 16, 0], ['aes-192-ctr', 24, 16]]) {
    const secret = Buffer.alloc(key, 'k');
    const start = iv ? Buffer.alloc(iv, 'i') : null;
    const cipher = crypto.createCipheriv(name, secret, start);
    const text = cipher.update('pässword', 'utf8', 'hex') + cipher.final('hex');
    const back = crypto.createDecipheriv(name, secret, start);
    seen.push(text, back.update(text, 'hex', 'utf8') + back.final('utf8'));
  }
  const sealed = crypto.createCipheriv('aes-256-gcm', Buffer.alloc(32, 1), Buffer.alloc(12, 2));
  sealed.setAAD(Buffer.from('head'));
  const body = Buffer.concat([sealed.update('secret'), sealed.final()]);
  const open = crypto.createDecipheriv('aes-256-gcm', Buffer.alloc(32, 1), Buffer.alloc(12, 2));
  open.setAAD(Buffer.from('head'));
  open.setAuthTag(sealed.getAuthTag());
  seen.push(body.toString('hex'), sealed.getAuthTag().toString('hex'), open.update(body, undefined, 'utf8') + open.final('utf8'));
  try {
    crypto.createDecipheriv('aes-256-cbc', Buffer.alloc(31), Buffer.alloc(16));
  } catch (error) {
    seen.push([error.name, error.code, error.message]);
  }
  callback(null, seen);
}
//# signatures
function login(email, password, callback) {
  const crypto = require('crypto');
  const { rsa, rsaPublic, ec, ecPublic } = configuration.KEYS;
  const made = crypto.createSign('RSA-SHA256').update('text').sign(rsa, 'base64');
  const curve = crypto.createSign('SHA256').update('text').sign(ec);
  const hidden = crypto.publicEncrypt(rsaPublic, Buffer.from('hush'));
  callback(null, [made, crypto.createVerify('RSA-SHA256').update('text').verify(rsaPublic, made, 'base64'),
    crypto.createVerify('RSA-SHA256').update('other').verify(rsaPublic, made, 'base64'),
    crypto.createVerify('SHA256').update('text').verify(ecPublic, curve), crypto.privateDecrypt(rsa, hidden).toString(),
    crypto.createPrivateKey(rsa).asymmetricKeyType, crypto.createPublicKey(rsa).type, crypto.createPublicKey(ecPublic).asymmetricKeyType,
    crypto.createSecretKey(Buffer.from('abc')).symmetricKeySize,
    crypto.createPublicKey(rsa).export({ type: 'spki', format: 'pem' }) === rsaPublic]);
}
//# web_crypto
async function login(email, password, callback) {
  const { subtle } = require('crypto').webcrypto;
  const bytes = new TextEncoder().encode('text');
  const key = await subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  const secret = await subtle.importKey('raw', bytes, 'PBKDF2', false, ['deriveBits']);
  const hex = (memory) => Buffer.from(memory).toString('hex');
  callback(null, [hex(await subtle.digest('SHA-256', bytes)), hex(await subtle.sign('HMAC', key, bytes)),
    hex(await subtle.deriveBits({ name: 'PBKDF2', salt: bytes, iterations: 10, hash: 'SHA-256' }, secret, 128))]);
}
//# shown_values
function login(email, password, callback) {
  const util = require('util');
  class Person { constructor() { this.name = 'ann'; } }
  callback(null, [util.format('%s %d %i %j %o', 1, '2', 3.7, { a: 1 }), util.format('%s', { a: { b: { c: 1 } } }, 'x'),
    util.inspect({ a: [1, { b: { c: { d: 1 } } }], s: 'x', u: undefined, n: null, d: new Date(0), r: /x/g, f() {} }),
    util.inspect(new Map([['k', new Set([1])]])), util.inspect(new Person()), util.inspect('it\'s'), util.inspect([,1]),
    util.inspect(Buffer.from('abc')), util.inspect({ get x() { return 1; }, [Symbol('s')]: 2n }), util.inspect(-0),
    util.inspect(new Error('m')).split('\n')[0], util.inspect(Object.create(null)), util.inspect(new URLSearchParams('a=1')),
    util.isArray([]), util.isDeepStrictEqual({ a: [1, new Date(5)] }, { a: [1, new Date(5)] })]);
}
//# url_forms
function login(email, password, callback) {
  const url = require('url');
  const parsed = url.parse('http://u:p@h.com:8080/p/a?x=1&y=2#z', true);
  const modern = new URL('https://ä.example:443/a b?q=1&q=2#h');
  modern.searchParams.append('r', 'x y+z');
  modern.port = '8443';
  callback(null, [parsed.host, parsed.query.y, parsed.pathname, parsed.auth, parsed.href,
    url.format({ protocol: 'http', host: 'a.com', pathname: '/x', query: { a: 1 } }), url.resolve('http://a.com/b/c', '../d'),
    modern.href, modern.host, modern.searchParams.getAll('q'), new URL('/x?y=1', 'http://a.com').href,
    String(new URLSearchParams({ a: 'ü&', b: '~*' })), URL.canParse('nope'), url.domainToASCII('español.com')]);
}
//# url_errors
function login(email, password, callback) {
  try {
    new URL('nope');
  } catch (error) {
    callback(null, [error.name, error.code, error.message, error.input, error instanceof TypeError]);
  }
}
//# query_strings
function login(email, password, callback) {
  const querystring = require('querystring');
  callback(null, [querystring.parse('a=1&a=2&b=%20x&c&d=%zz&e=a+b'), querystring.stringify({ a: [1, 2], b: 'x y&', c: true, d: null, e: '' }),
    querystring.escape('ü/ '), querystring.unescape('%C3%BC')]);
}
//# paths
function login(email, password, callback) {
  const path = require('path');
  callback(null, [path.join('/a', '../b', './c/'), path.resolve('/a/b', '../c'), path.basename('/a/b.txt', '.txt'), path.extname('a.b.c'),
    path.dirname('/a/b/c'), path.dirname('/a'), path.normalize('a//b/../c/'), path.relative('/a/b/c', '/a/d'), path.parse('/home/x/f.txt'),
    path.format({ dir: '/d', base: 'f.js' }), path.isAbsolute('a'), path.sep, path.extname('.bashrc'), path.parse('f')]);
}
//# error_classes
function login(email, password, callback) {
  const taken = new ValidationError('username', 'taken');
  callback(null, [taken instanceof Error, taken.name, taken.message, taken.code, String(taken),
    new WrongUsernameOrPasswordError('a', 'b').name, new UnauthorizedError('no').message, taken.stack.split('\n')[0]]);
}
//# order_of_turns
function login(email, password, callback) {
  const order = [];
  setTimeout(() => order.push('timeout'), 0);
  setImmediate(() => order.push('immediate'));
  process.nextTick(() => order.push('tick'));
  Promise.resolve().then(() => order.push('promise')).then(() => process.nextTick(() => order.push('tick 2')));
  queueMicrotask(() => order.push('microtask'));
  setTimeout(() => callback(null, [order.slice(0, 3), order.length]), 30);
}
//# timers
async function login(email, password, callback) {
  const wait = require('util').promisify(setTimeout);
  const { setTimeout: later } = require('timers/promises');
  let count = 0;
  let interval;
  const third = new Promise((resolve) => {
    interval = setInterval(() => {
      count += 1;
      if (count === 3) resolve(clearInterval(interval));
    }, 1);
  });
  const dropped = setTimeout(() => { count += 100; }, 1);
  clearTimeout(dropped);
  await third;
  await wait(5);
  callback(null, [count, await later(1, 'value'), typeof interval.ref, dropped.hasRef(), await wait(1, 'late')]);
}
//# buffers
function login(email, password, callback) {
  const bytes = Buffer.from('héllo wörld');
  const room = Buffer.alloc(8);
  room.writeUInt32BE(0xdeadbeef, 0);
  room.writeInt16LE(-2, 4);
  const copy = Buffer.alloc(4);
  callback(null, [bytes.toString('base64'), bytes.toString('hex'), bytes.toString('base64url'), bytes.readUInt16BE(0), bytes.indexOf('w'),
    bytes.equals(Buffer.from('héllo wörld')), Buffer.byteLength('é'), bytes.slice(1, 3).toString('latin1'), JSON.stringify(Buffer.from([1, 2])),
    Buffer.isBuffer(bytes), Buffer.alloc(3, 'ab').toString(), bytes.readDoubleLE(0) > 0, room.toString('hex'), room.readInt16LE(4),
    bytes.copy(copy, 1, 2), copy.toString('hex'), bytes.lastIndexOf('o'), bytes.includes('wör'), Buffer.from('zz', 'hex').length,
    Buffer.from('YQ').toString('ascii'), bytes.swap16 === undefined, Buffer.from([256, -1]).toString('hex'), copy.write('abc', 2),
    Buffer.compare(Buffer.from('a'), Buffer.from('b')), bytes.subarray(-3).toString('latin1'), Buffer.from('abc').readUintBE(0, 3),
    Buffer.from('ab\u{1f600}').toString('utf16le').length, Buffer.concat([bytes, copy], 14).length, atob('aGk='), btoa('hi')]);
}
//# buffer_errors
function login(email, password, callback) {
  const seen = [];
  for (const work of [() => Buffer.from(5), () => Buffer.alloc(-1), () => Buffer.from('a').toString('nosuch'), () => Buffer.concat('x')]) {
    try {
      seen.push(work().length);
    } catch (error) {
      seen.push([error.name, error.code, error.message]);
    }
  }
  callback(null, seen);
}
//# events
async function login(email, password, callback) {
  const EventEmitter = require('events');
  const emitter = new EventEmitter();
  const seen = [];
  emitter.once('a', (value) => seen.push(value));
  emitter.on('a', (value) => seen.push(value + 1));
  emitter.prependListener('a', () => seen.push('first'));
  emitter.emit('a', 1);
  emitter.emit('a', 5);
  seen.push(emitter.listenerCount('a'), emitter.eventNames(), emitter.emit('none'));
  try {
    emitter.emit('error', new Error('ee'));
  } catch (error) {
    seen.push(error.message);
  }
  try {
    emitter.emit('error', { odd: 1 });
  } catch (error) {
    seen.push([error.code, error.message]);
  }
  setTimeout(() => emitter.emit('later', 7), 1);
  seen.push(await EventEmitter.once(emitter, 'later'));
  callback(null, seen);
}
//# streams
async function login(email, password, callback) {
  const { Readable, Transform, Writable, PassThrough, pipeline, promises } = require('stream');
  const seen = [];
  const upper = new Transform({ transform(chunk, encoding, done) { done(null, String(chunk).toUpperCase()); } });
  await promises.pipeline(Readable.from(['a', 'b']), upper, new Writable({ write(chunk, encoding, done) { seen.push(String(chunk)); done(); } }));
  const through = new PassThrough();
  through.end('xyz');
  for await (const chunk of through) seen.push(String(chunk));
  pipeline(Readable.from(['q']), new Writable({ write(chunk, encoding, done) { done(new Error('full')); } }), (error) => {
    seen.push(error.message);
    callback(null, seen);
  });
}
//# text_codecs
function login(email, password, callback) {
  const { StringDecoder } = require('string_decoder');
  const decoder = new StringDecoder('utf8');
  const euro = Buffer.from('€');
  callback(null, [decoder.write(euro.slice(0, 1)) + decoder.write(euro.slice(1)) + decoder.end(),
    new TextDecoder('utf-8').decode(new Uint8Array([0xef, 0xbb, 0xbf, 0x61])), Array.from(new TextEncoder().encode('ä')),
    new TextDecoder('utf-16le').decode(Buffer.from('hé', 'utf16le')), require('punycode').toASCII('mañana.com')]);
}
//# compression
function login(email, password, callback) {
  const zlib = require('zlib');
  const text = 'abc'.repeat(1000);
  const seen = [zlib.inflateSync(zlib.deflateSync(text)).toString() === text, zlib.gunzipSync(zlib.gzipSync(text)).length,
    zlib.inflateRawSync(zlib.deflateRawSync(Buffer.from(text))).length];
  try {
    zlib.inflateSync(Buffer.from('nonsense'));
  } catch (error) {
    seen.push([error.code, error.errno]);
  }
  const gunzip = zlib.createGunzip();
  let size = 0;
  gunzip.on('data', (chunk) => { size += chunk.length; });
  gunzip.on('end', () => zlib.gunzip(zlib.gzipSync('cb'), (error, made) => callback(error, [...seen, size, String(made)])));
  gunzip.end(zlib.gzipSync(text));
}
//# helpers
async function login(email, password, callback) {
  const util = require('util');
  const assert = require('assert');
  function Old() {}
  util.inherits(Old, require('events'));
  const seen = [new Old() instanceof require('events'), await util.promisify((value, done) => done(null, value * 2))(4)];
  util.callbackify(async () => 'v')((error, value) => seen.push([error, value]));
  try {
    assert.strictEqual(1, 2);
  } catch (error) {
    seen.push([error.name, error.code, error.actual, error.expected]);
  }
  assert.deepStrictEqual({ a: [1] }, { a: [1] });
  seen.push(util.types.isDate(new Date()), util.types.isPromise(Promise.resolve()), util.types.isRegExp(/x/), util.types.isUint8Array(Buffer.alloc(1)),
    structuredClone({ a: new Map([[1, new Date(0)]]) }).a.get(1).getTime(), util.deprecate(() => 3, 'old')(), typeof util.TextEncoder);
  await new Promise((resolve) => setImmediate(resolve));
  callback(null, seen);
}
//# abort
async function login(email, password, callback) {
  const controller = new AbortController();
  const seen = [];
  controller.signal.addEventListener('abort', (event) => seen.push(event.type));
  controller.abort();
  seen.push(controller.signal.aborted, controller.signal.reason.name, controller.signal.reason.message);
  await require('timers/promises').setTimeout(1000, null, { signal: controller.signal }).catch((error) => seen.push([error.name, error.code]));
  callback(null, seen);
}
//# errors_of_the_engine
function login(email, password, callback) {
  try {
    null.foo;
  } catch (error) {
    callback(null, [error instanceof TypeError, typeof error.stack, /login/.test(error.stack), error.stack.startsWith('TypeError: ')]);
  }
}
//# dates
function login(email, password, callback) {
  const date = new Date(Date.UTC(2020, 0, 2, 3, 4, 5));
  callback(null, [date.toISOString(), date.toUTCString(), date.toJSON(), Date.parse('2020-01-02'), new Date('2020-01-02T03:04:05Z').getTime()]);
}
//# refused_modules
function login(email, password, callback) {
  const seen = [];
  for (const name of ['./x', '/etc/passwd', '..', 'no-such-package', 'node:no-such']) {
    try {
      require(name);
      seen.push('found');
    } catch (error) {
      seen.push(error.message.split('\n')[0].split(':')[0]);
    }
  }
  callback(null, [seen, require('node:path') === require('path'), typeof require('node:events')]);
}
//# process_facts
function login(email, password, callback) {
  callback(null, [process.env, process.argv.length > 0, process.version.startsWith('v'), typeof process.hrtime.bigint(), process.platform,
    Array.isArray(process.hrtime()), typeof process.memoryUsage().rss, typeof process.uptime(), global === globalThis, typeof performance.now()]);
}
//# old_habits
function login(email, password, callback) {
  const crypto = require('crypto');
  const old = new Buffer('aGk=', 'base64');
  const cipher = crypto.createCipher('aes-128-cbc', 'secret');
  const sealed = cipher.update('text', 'utf8', 'base64') + cipher.final('base64');
  const zeros = new Buffer(3);
  zeros.fill(0);
  const part = new Buffer([1, 2, 3]);
  const odd = { toString() { return 'odd'; } };
  callback(null, [old.toString(), sealed, zeros.length, part.slice(1).toString('hex'), require('sys') === require('util'), Buffer('x').toString(),
    require('util').isDate(new Date()), old instanceof Buffer, Buffer.from(Buffer.from('ab').toJSON()).toString(), new Buffer(4).length,
    require('querystring').stringify({ odd, n: NaN, big: 5n }), typeof require('constants').SIGTERM, require('util').print === undefined]);
}
//# membership_of_asp_net
function login(email, password, callback) {
  const crypto = require('crypto');
  const salt = Buffer.from('kDU2VYJmtSJDQr8w7ZzDmg==', 'base64');
  const wide = Buffer.from(password, 'utf16le');
  const hash = crypto.createHash('sha1').update(Buffer.concat([salt, wide])).digest('base64');
  const keyed = crypto.createHmac('sha1', salt).update(wide).digest('base64');
  // The third form: version byte, salt and key in one.
  crypto.randomBytes(16, () => crypto.pbkdf2(password, salt, 1000, 32, 'sha1', (error, key) => {
    const stored = Buffer.alloc(49);
    stored[0] = 0;
    salt.copy(stored, 1);
    key.copy(stored, 17);
    callback(error, [hash, keyed, stored.toString('base64'), crypto.timingSafeEqual(stored.subarray(17), key)]);
  }));
}
//# modern_language
async function login(email, password, callback) {
  class Counter { #n = 0; static { this.made = 1; } get n() { return this.#n; } bump() { this.#n ??= 5; return ++this.#n; } }
  const counter = new Counter();
  const { groups } = /(?<year>\d{4})-(?<rest>.*)/u.exec('2020-01');
  const seen = [counter.bump(), Counter.made, groups.year, [3, 1, 2].toSorted(), [1, 2, 3].at(-1), Object.groupBy?.([1, 2], (n) => n) === undefined,
    'aXbX'.replaceAll('X', '-'), 2n ** 64n === 18446744073709551616n, [[1, [2]]].flat(Infinity), Object.fromEntries([['a', 1]]), 1_000,
    new Error('m', { cause: 'c' }).cause, await Promise.any([Promise.reject(1), 2]), (await Promise.allSettled([Promise.reject(1)]))[0].status,
    [..."a1b2".matchAll(/\d/g)].length, structuredClone([new Set([1])])[0].has(1), 'abc'.at(-1), Array.from({ length: 2 }, (_, i) => i), null ?? 'd'];
  seen[5] = true;
  label: for (const a of [1, 2]) for (const b of [1, 2]) if (a * b === 2) { seen.push([a, b]); break label; }
  callback(null, seen.map((value) => (typeof value === 'bigint' ? String(value) : value)));
}
//# console_lines
function login(email, password, callback) {
  console.log('a %s', 1);
  console.error(new Error('shown'));
  console.table([{ a: 1 }]);
  console.time('t');
  console.timeEnd('t');
  console.dir({ a: 1 }, { depth: 0 });
  console.assert(true);
  console.group('g');
  console.groupEnd();
  callback(null, 'done');
}
//# old_streams
function login(email, password, callback) {
  const Stream = require('stream');
  const { inherits } = require('util');
  function Old() {
    Stream.call(this);
    this.readable = true;
    this.writable = true;
  }
  inherits(Old, Stream);
  Old.prototype.write = function (chunk) { this.emit('data', `<${chunk}>`); return true; };
  Old.prototype.end = function () { this.emit('end'); };
  function Upper(options) {
    Stream.Transform.call(this, options);
  }
  inherits(Upper, Stream.Transform);
  Upper.prototype._transform = function (chunk, encoding, done) { this.push({ text: String(chunk).toUpperCase() }); done(); };
  const seen = [Stream === Stream.Stream, new Old() instanceof require('events'), typeof Stream.promises.pipeline];
  const upper = new Upper({ objectMode: true });
  const old = new Old();
  upper.on('data', ({ text }) => seen.push(text));
  upper.on('end', () => callback(null, seen));
  old.pipe(upper);
  old.write('a');
  old.write('b');
  old.end();
}
