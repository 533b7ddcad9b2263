// The guest side of action scripts in the embedded engine: scripts, calls and their one answer,
// console lines. The same semantics as runtimes/node/runner.cjs, by the same `evaluate.cjs`.
//
// Frames, call ids and deadlines are the native side's. A call is known here by a number, and the
// native side takes one answer for it. A call is answered by the first of: callback, synchronous
// throw, rejected promise, uncaught exception, unhandled rejection. What makes it an error is *how*
// it ended, never whether the thrown value is null: `throw null`, `Promise.reject()` and the null
// that the engine throws when it has no memory left are failures.
//
// Nothing here is in a script's reach: not `native`, not this module, not the internal `require`.
// What guest code could replace under us is captured below, before the first script is read.

'use strict';

const { parse, stringify } = JSON;
const { apply } = Reflect;
const uncurry = Function.prototype.bind.bind(Function.prototype.call);
const slice = uncurry(String.prototype.slice);
const startsWith = uncurry(String.prototype.startsWith);
const includes = uncurry(String.prototype.includes);
const wellFormed = uncurry(String.prototype.toWellFormed);
const then = uncurry(Promise.prototype.then);
const text = String;

/** For the other modules: they are first required when a script may have changed everything. */
const captured = {
  __proto__: null,
  parse,
  stringify,
  apply,
  uncurry,
  slice,
  startsWith,
  then,
  wellFormed,
};

// ---- modules of ours -------------------------------------------------------------------------------

const loaded = { __proto__: null, runner: { exports: {} } };

/** `require` among the layer's own modules; circular ones see what is exported so far. */
function internal(asked) {
  const name = startsWith(asked, 'node:') ? slice(asked, 5) : asked;
  const known = loaded[name];
  if (known !== undefined) return known.exports;
  const run = native.compileInternal(name);
  const module = { exports: {} };
  loaded[name] = module;
  try {
    apply(run, undefined, [module.exports, internal, module, native, captured]);
  } catch (reason) {
    delete loaded[name];
    throw reason;
  }
  return module.exports;
}

/** What `evaluate.cjs` needs of `node:vm`. */
function internalForEvaluate(asked) {
  if (asked !== 'node:vm') return internal(asked);
  return {
    compileFunction: (body, names = [], { filename = '', columnOffset = 0 } = {}) =>
      native.compileFunction(body, names, filename, -columnOffset),
  };
}

let evaluateScript;

function evaluate(...args) {
  if (evaluateScript === undefined) {
    const module = { exports: {} };
    const run = native.compileInternal('evaluate');
    apply(run, undefined, [module.exports, internalForEvaluate, module]);
    evaluateScript = module.exports.evaluate;
  }
  return apply(evaluateScript, undefined, args);
}

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
  if (typeof thrown === 'string') return thrown;
  try {
    return internal('util').inspect(thrown, { depth: 2 });
  } catch {
    // Not even that.
  }
  try {
    return text(thrown);
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
    // Connect errors may be AggregateErrors: no message, and the reasons inside.
    return peek(thrown.errors[0], 'message') ?? '';
  } catch {
    return '';
  }
}

/** An error in words: `[message, name, code, user, stack]`, each capped. */
function describe(thrown) {
  const isObject = (typeof thrown === 'object' && thrown !== null) || typeof thrown === 'function';
  const read = (key, most) => {
    const value = isObject ? peek(thrown, key) : undefined;
    return value === undefined ? undefined : slice(value, 0, most);
  };
  return [
    slice(messageOf(thrown), 0, 8192),
    read('name', 128),
    read('code', 128),
    read('userNameOrEmail', 1024),
    read('stack', 8192),
  ];
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
  return json;
}

/** Answers a call, whatever its value does while it is read. */
function answer(number, how, failed, value) {
  if (failed) {
    native.answerError(number, how, describe(value));
    return;
  }
  let json;
  try {
    json = serialise(value);
  } catch (reason) {
    native.answerBad(number, how, slice(peek(reason, 'message') ?? words(reason), 0, 1024));
    return;
  }
  native.answerValue(number, how, json);
}

// ---- console -----------------------------------------------------------------------------------

/** The load or call in progress: `{ number, budget, muted, settle }`. */
let current = null;
/** Takes the console lines of code that runs on after its call was answered. */
let stray = { number: 0, budget: limits.log, muted: false };
/** The number of the call answered last, for reports of what came too late. */
let last = 0;

/** A console line. Plain texts need no formatter, and most lines are plain. */
function format(args) {
  if (args.length === 1 && typeof args[0] === 'string') return args[0];
  return apply(internal('util').format, undefined, args);
}

function log(level, args) {
  const call = current ?? stray;
  if (call.muted) return;
  let line;
  try {
    line = format(args);
  } catch {
    line = '[unprintable]';
  }
  // The 16 stand for the frame around a line: empty lines are not free.
  call.budget -= line.length + 16;
  if (call.budget < 0) {
    call.muted = true;
    line = '[log truncated]';
  }
  native.log(call.number, level, line);
}

const guestConsole = {};
for (const name of ['assert', 'clear', 'count', 'countReset', 'dirxml', 'group', 'groupCollapsed',
  'groupEnd', 'profile', 'profileEnd', 'time', 'timeEnd', 'timeLog', 'timeStamp']) {
  guestConsole[name] = () => {};
}
for (const level of ['log', 'info', 'warn', 'error', 'debug']) {
  guestConsole[level] = (...args) => log(level, args);
}
guestConsole.trace = guestConsole.debug;
guestConsole.dir = guestConsole.table = (value) => log('log', [value]);
globalThis.console = guestConsole;

// ---- calls -------------------------------------------------------------------------------------

/** Opens a call: the returned function settles it once. */
function open(number) {
  const call = { number, budget: limits.log, muted: false, settle: undefined };
  let settled = false;
  let reports = 0;
  call.settle = (how, failed, value) => {
    if (settled) {
      reports += 1;
      if (reports <= 10) native.late(number, how, failed ? describe(value) : undefined);
      return;
    }
    settled = true;
    if (current === call) {
      current = null;
      last = number;
      stray = { number: 0, budget: limits.log, muted: false };
    }
    try {
      answer(number, how, failed, value);
    } catch {
      // There was no memory for the words; there may be for this.
      native.answerBad(number, how, 'out of memory');
    }
  };
  current = call;
  return call.settle;
}

function call(number, script, args, context) {
  const settle = open(number);
  const program = programs[script];
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
  if (native.isPromise(returned)) {
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

/** What no handler took: it ends the open call, or is reported as late. */
function stumble(how, thrown) {
  if (current?.settle) current.settle(how, true, thrown);
  else native.late(last, how, describe(thrown));
}

// ---- scripts -----------------------------------------------------------------------------------

/** Loaded scripts by name: `{ entry, refresh }`. */
const programs = { __proto__: null };
/** The names in a script's scope besides the globals and `configuration`. */
const scope = { require: undefined, WrongUsernameOrPasswordError, ValidationError, UnauthorizedError };

let guestRequire;

/** The `require` of scripts; what is behind it is read when it is first used. */
scope.require = function require(asked) {
  guestRequire ??= internal('modules').requireFrom(log);
  return guestRequire(asked);
};

/** The globals that are made when they are first used. */
const lazy = [];

/** Makes those that a script mentions before it runs: it may break what their making needs. */
function prepare(source) {
  for (let index = 0; index < lazy.length; index += 1) {
    if (includes(source, lazy[index])) void globalThis[lazy[index]];
  }
}

function load(number, script, source, configuration) {
  current = { number, budget: limits.log, muted: false, settle: undefined };
  let error;
  try {
    prepare(source);
    programs[script] = evaluate(script, source, configuration, scope);
  } catch (reason) {
    error = describe(reason);
  }
  current = null;
  native.loaded(number, error);
}

// ---- start -------------------------------------------------------------------------------------

// Stack frames would hand out the functions of ours that they stand in.
Error.prepareStackTrace = (_, sites) => sites;
delete Object.getPrototypeOf(new Error().stack[0]).getFunction;
Error.prepareStackTrace = undefined;

const timers = internal('timers');
timers.onThrow((thrown) => stumble('uncaught', thrown));

const hidden = (value) => ({ value, writable: true, enumerable: false, configurable: true });
for (const name of Object.keys(timers.globals)) {
  Object.defineProperty(globalThis, name, hidden(timers.globals[name]));
}
Object.defineProperty(globalThis, 'global', hidden(globalThis));
internal('globals').install(globalThis);
for (const name of Object.getOwnPropertyNames(globalThis)) {
  if (Object.getOwnPropertyDescriptor(globalThis, name).get) lazy[lazy.length] = name;
}

function init(result, logBytes) {
  limits = { result, log: logBytes };
}

exports.init = init;
exports.load = load;
exports.call = call;
exports.stumble = stumble;
exports.runTicks = timers.runTicks;
exports.runTimer = timers.runTimer;
exports.beginImmediates = timers.beginImmediates;
exports.runImmediate = timers.runImmediate;
