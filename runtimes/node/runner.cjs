// The guest side of Ferry's action scripts on Node 20 or newer.
//
// Started by the host (crates/script) with one socket on descriptor 3 and nothing else: no
// environment, no arguments. Frames on it are `u32 big endian length | JSON`:
//
//   host  -> {t:"init", proto, limits:{result,log}, modules}      -> ready
//         -> {t:"load", id, script, source, configuration}        -> loaded {id, error?}
//         -> {t:"call", id, script, args, context, deadline_ms}   -> result {id, how, value|error|bad}
//            args: JSON values of any kind, in the order of the script's parameters
//         -> {t:"answer", n, value|error}                         to a question of the open call
//   guest -> {t:"log", id, level, msg}    a console line; id is empty when no call is open
//         -> {t:"ask", id, n, question}   a question of the open call, JSON
//         -> {t:"late", id, how, error?}  something happened after the call was answered
//
// A call is answered once, by the first of: callback, synchronous throw, rejected promise,
// uncaught exception, unhandled rejection. What makes it an error is *how* it ended, never whether
// the thrown value is null: `throw null` and `Promise.reject()` are failures.
//
// Guest code shares this process. Everything that a frame passes through is therefore captured
// below, before the first script is read, and the frame's id lives only in closures. That keeps
// accidents out (`JSON.stringify = …`, `Array.prototype.map = null`); it is no security boundary:
// the process is the boundary, and the host kills it when in doubt.
//
// A script that hangs cannot be ended from in here: the host kills the process group at the
// deadline. A watchdog thread for the case that the host dies first would cost every worker 10 MB
// and 30 ms; the parent-death signal of the operating system does the same for nothing.

'use strict';

const { Socket } = require('node:net');
const { format, inspect, types: { isPromise } } = require('node:util');
const { evaluate } = require('./evaluate.cjs');
const { requireFrom } = require('./modules.cjs');
const { passwordModule } = require('./password.js');

// ---- what guest code must not be able to replace under us -------------------------------------

const { parse, stringify } = JSON;
const { apply } = Reflect;
const uncurry = Function.prototype.bind.bind(Function.prototype.call);
const slice = uncurry(String.prototype.slice);
const wellFormed = uncurry(String.prototype.toWellFormed);
const then = uncurry(Promise.prototype.then);
const bufferFrom = Buffer.from;
const bufferConcat = Buffer.concat;
const byteLength = Buffer.byteLength;
const allocate = Buffer.allocUnsafe;
const readLength = uncurry(Buffer.prototype.readUInt32BE);
const writeLength = uncurry(Buffer.prototype.writeUInt32BE);
const part = uncurry(Buffer.prototype.subarray);
const utf8 = uncurry(Buffer.prototype.toString);
const text = String;
const leave = process.reallyExit.bind(process);

// ---- frames ------------------------------------------------------------------------------------

const MAX_FRAME = 4 << 20;
const channel = new Socket({ fd: 3, readable: true, writable: true });
const write = channel.write.bind(channel);

/** A JSON string. Never stringify an object of ours: `Object.prototype.toJSON` is the guest's. */
const quote = (value) => stringify(wellFormed(value));

function send(json) {
  const body = bufferFrom(json, 'utf8');
  const head = allocate(4);
  writeLength(head, body.length, 0);
  write(bufferConcat([head, body]));
}

let received = allocate(0);

channel.on('data', (chunk) => {
  received = received.length === 0 ? chunk : bufferConcat([received, chunk]);
  while (received.length >= 4) {
    const length = readLength(received, 0);
    if (length > MAX_FRAME) leave(1);
    if (received.length < 4 + length) return;
    const frame = parse(utf8(part(received, 4, 4 + length), 'utf8'));
    received = part(received, 4 + length);
    obey(frame);
  }
});
// The host is gone or wants us gone: there is nobody left to answer.
channel.on('end', () => leave(0));
channel.on('error', () => leave(0));

// ---- error objects -----------------------------------------------------------------------------

class WrongUsernameOrPasswordError extends Error {
  constructor(userNameOrEmail, message) {
    super(message);
    this.name = 'WrongUsernameOrPasswordError';
    this.userNameOrEmail = userNameOrEmail;
  }
}

class ValidationError extends Error {
  constructor(code, message) {
    super(message === undefined ? code : message);
    this.name = 'ValidationError';
    this.code = code;
  }
}

class UnauthorizedError extends Error {
  constructor(message) {
    super(message);
    this.name = 'UnauthorizedError';
  }
}

/** Reads one property of a guest's object: getters and proxies may throw. */
function peek(object, key) {
  try {
    const value = object[key];
    if (typeof value === 'string') return value;
    if (typeof value === 'number') return text(value);
  } catch {
    // Unreadable is the same as absent.
  }
  return undefined;
}

/** The words for a thrown value that has no message of its own. */
function words(thrown) {
  if (thrown === undefined || thrown === null) return `no reason given (${text(thrown)})`;
  try {
    return typeof thrown === 'string' ? thrown : inspect(thrown, { depth: 2 });
  } catch {
    return 'an unreadable value';
  }
}

/** The message of a thrown value. */
function messageOf(thrown) {
  const message = peek(thrown, 'message');
  if (message === undefined) return words(thrown);
  if (message !== '') return message;
  try {
    // Node's connect errors are AggregateErrors: no message, and the reasons inside.
    return peek(thrown.errors[0], 'message') ?? '';
  } catch {
    return '';
  }
}

/** The JSON of an error: strings only, each capped. */
function describe(thrown) {
  const isObject = (typeof thrown === 'object' && thrown !== null) || typeof thrown === 'function';
  const read = (key) => (isObject ? peek(thrown, key) : undefined);
  const field = (key, value, cap) =>
    value === undefined ? '' : `,${quote(key)}:${quote(slice(value, 0, cap))}`;
  return `{"message":${quote(slice(messageOf(thrown), 0, 8192))}` +
    field('name', read('name'), 128) +
    field('code', read('code'), 128) +
    field('user', read('userNameOrEmail'), 1024) +
    field('stack', read('stack'), 8192) + '}';
}

// ---- results -----------------------------------------------------------------------------------

let limits = { result: 1 << 20, log: 64 << 10 };

/** The JSON text of a script's value; throws when it has none or is too large. */
function serialise(value) {
  if (value === undefined || value === null) return 'null';
  let budget = limits.result;
  const tooLarge = () => new Error(`the result is larger than ${limits.result} bytes`);
  // Counting on the way in stops a huge value before its text is built.
  const json = stringify(value, (key, member) => {
    budget -= key.length + 1;
    if (typeof member === 'string') {
      budget -= member.length;
      if (budget >= 0) return wellFormed(member);
    }
    if (budget < 0) throw tooLarge();
    return member;
  });
  if (json === undefined) throw new Error(`the result is a ${typeof value}`);
  if (byteLength(json) > limits.result) throw tooLarge();
  return json;
}

/** The frame that answers a call. */
function answer(id, how, failed, value) {
  const head = `{"t":"result","id":${quote(id)},"how":${quote(how)}`;
  if (failed) return `${head},"error":${describe(value)}}`;
  try {
    return `${head},"value":${serialise(value)}}`;
  } catch (reason) {
    return `${head},"bad":${quote(slice(peek(reason, 'message') ?? words(reason), 0, 1024))}}`;
  }
}

// ---- console -----------------------------------------------------------------------------------

/** The load or call in progress: `{ id, budget, muted, settle }`. */
let current = null;
/** Takes the console lines of code that runs on after its call was answered. */
let stray = { id: '', budget: limits.log, muted: false };
/** The id of the call answered last, for reports of what came too late. */
let last = '';

function log(level, args) {
  const call = current ?? stray;
  if (call.muted) return;
  let line;
  try {
    line = apply(format, undefined, args);
  } catch {
    line = '[unprintable]';
  }
  // The 16 stand for the frame around a line: empty lines are not free.
  call.budget -= line.length + 16;
  if (call.budget < 0) {
    call.muted = true;
    line = '[log truncated]';
  }
  send(`{"t":"log","id":${quote(call.id)},"level":${quote(level)},"msg":${quote(line)}}`);
}

const guestConsole = {};
for (const name of Object.keys(console)) guestConsole[name] = () => {};
for (const level of ['log', 'info', 'warn', 'error', 'debug']) {
  guestConsole[level] = (...args) => log(level, args);
}
guestConsole.trace = guestConsole.debug;
guestConsole.dir = guestConsole.table = (value) => log('log', [value]);
globalThis.console = guestConsole;

// ---- calls -------------------------------------------------------------------------------------

/** What a script did after its answer. The host logs it; it never changes a result. */
function late(id, how, failed, value) {
  const error = failed ? `,"error":${describe(value)}` : '';
  send(`{"t":"late","id":${quote(id)},"how":${quote(how)}${error}}`);
}

/** Opens a call: the returned function settles it once. */
function open(id) {
  const call = { id, budget: limits.log, muted: false, settle: undefined };
  let settled = false;
  let reports = 0;
  call.settle = (how, failed, value) => {
    if (settled) {
      reports += 1;
      if (reports <= 10) late(id, how, failed, value);
      return;
    }
    settled = true;
    if (current === call) {
      current = null;
      last = id;
      stray = { id: '', budget: limits.log, muted: false };
    }
    send(answer(id, how, failed, value));
  };
  current = call;
  return call.settle;
}

function call({ id, script, args, context }) {
  questions = new Map();
  const settle = open(id);
  const program = programs.get(script);
  program.refresh();
  const callback = (error, value) => {
    const failed = error !== undefined && error !== null;
    settle('callback', failed, failed ? error : value);
  };
  if (context) args[args.length] = {};
  args[args.length] = callback;
  let returned;
  try {
    returned = apply(program.entry, undefined, args);
  } catch (thrown) {
    settle('throw', true, thrown);
    return;
  }
  watch(returned, settle);
}

/** A rejected promise ends the call; a fulfilled one does not: the value goes through callback. */
function watch(returned, settle) {
  const rejected = (reason) => settle('reject', true, reason);
  if (isPromise(returned)) {
    then(returned, undefined, rejected);
    return;
  }
  try {
    // Promise libraries bring their own kind.
    if (typeof returned?.then === 'function') returned.then(undefined, rejected);
  } catch (thrown) {
    rejected(thrown);
  }
}

// ---- questions to the host -----------------------------------------------------------------------

/** Who waits for the answers of the open call, by number. */
let questions = new Map();

/** Asks the host; `question` is JSON text, `done(error, value)` gets the answer. */
function ask(question, done) {
  if (!current) {
    done(new Error('the server answers questions only while a call runs'));
    return;
  }
  const n = questions.size;
  questions.set(n, done);
  send(`{"t":"ask","id":${quote(current.id)},"n":${n},"question":${question}}`);
}

function hear({ n, value, error }) {
  const done = questions.get(n);
  // The call that asked may be over.
  if (done) done(error === undefined ? null : new Error(error), value);
}

function stumble(how, thrown) {
  if (current?.settle) current.settle(how, true, thrown);
  else late(last, how, true, thrown);
}

process.on('uncaughtException', (thrown) => stumble('uncaught', thrown));
process.on('unhandledRejection', (reason) => stumble('unhandled', reason));

// ---- scripts -----------------------------------------------------------------------------------

/** Loaded scripts by name: `{ entry, refresh }`. */
const programs = new Map();
/** Ferry's own modules. */
const own = new Map([['ferry/password', passwordModule(ask)]]);
/** The names in a script's scope besides Node's globals and `configuration`. */
const scope = { require, WrongUsernameOrPasswordError, ValidationError, UnauthorizedError };

function load({ id, script, source, configuration }) {
  current = { id, budget: limits.log, muted: false, settle: undefined };
  let error = '';
  try {
    programs.set(script, evaluate(script, source, configuration, scope));
  } catch (reason) {
    error = `,"error":${describe(reason)}`;
  }
  current = null;
  send(`{"t":"loaded","id":${quote(id)}${error}}`);
}

// ---- start -------------------------------------------------------------------------------------

// A script that ends the process ends every later call of its worker: say so instead.
for (const name of ['exit', 'reallyExit', 'abort', 'kill', '_kill']) {
  process[name] = () => {
    throw new Error(`process.${name} is not available to action scripts`);
  };
}

function init(frame) {
  if (frame.proto !== 1) leave(1);
  limits = frame.limits;
  scope.require = requireFrom(frame.modules, log, own);
  send(`{"t":"ready","rt":"node","version":${quote(process.version)},"pid":${process.pid}}`);
}

function obey(frame) {
  if (frame.t === 'init') init(frame);
  else if (frame.t === 'load') load(frame);
  else if (frame.t === 'call') call(frame);
  else if (frame.t === 'answer') hear(frame);
}
