// `util`: inspect and format from node-inspect-extracted, loaded when something is first shown; the
// small rest is here.

'use strict';

const { coded, invalidArgument } = require('errors');

const CUSTOM = Symbol.for('nodejs.util.promisify.custom');

let shower;
const show = () => {
  shower ??= require('inspect');
  return shower;
};

function inspect(value, ...options) {
  return show().inspect(value, ...options);
}

// The tables are Node's; touching one loads the rest.
for (const name of ['defaultOptions', 'colors', 'styles', 'replDefaults']) {
  Object.defineProperty(inspect, name, {
    get: () => show().inspect[name],
    set: (value) => {
      show().inspect[name] = value;
    },
    enumerable: true,
    configurable: true,
  });
}
inspect.custom = Symbol.for('nodejs.util.inspect.custom');

/** Texts with nothing to replace need no inspector. */
function format(...args) {
  if (args.length === 1 && typeof args[0] === 'string') return args[0];
  return show().format(...args);
}

/** Timers take their callback first and have promise forms of their own. */
function timerPromise(original) {
  const { setImmediate, setTimeout } = require('timers');
  if (original === setTimeout) return require('timers-promises').setTimeout;
  return original === setImmediate ? require('timers-promises').setImmediate : undefined;
}

function promisify(original) {
  if (typeof original !== 'function') throw invalidArgument('original', 'of type function', original);
  const custom = original[CUSTOM] ?? timerPromise(original);
  if (custom !== undefined) {
    if (typeof custom !== 'function') throw invalidArgument('util.promisify.custom', 'of type function', custom);
    return Object.defineProperty(custom, CUSTOM, { value: custom, configurable: true });
  }
  function promised(...args) {
    return new Promise((resolve, reject) => {
      Reflect.apply(original, this, [...args, (error, ...values) => {
        if (error) reject(error);
        else resolve(values[0]);
      }]);
    });
  }
  Object.setPrototypeOf(promised, Object.getPrototypeOf(original));
  Object.defineProperty(promised, CUSTOM, { value: promised, configurable: true });
  return Object.defineProperties(promised, Object.getOwnPropertyDescriptors(original));
}
promisify.custom = CUSTOM;

function callbackify(original) {
  if (typeof original !== 'function') throw invalidArgument('original', 'of type function', original);
  return function called(...args) {
    const callback = args.pop();
    if (typeof callback !== 'function') throw invalidArgument('last argument', 'of type function', callback);
    const { nextTick } = require('timers');
    Reflect.apply(original, this, args).then(
      (value) => nextTick(callback, null, value),
      (reason) => {
        let error = reason;
        if (!error) {
          error = coded(Error, 'ERR_FALSY_VALUE_REJECTION', 'Promise was rejected with falsy value');
          error.reason = reason;
        }
        nextTick(callback, error);
      });
  };
}

function inherits(child, parent) {
  if (typeof child !== 'function') throw invalidArgument('ctor', 'of type function', child);
  if (typeof parent !== 'function') throw invalidArgument('superCtor', 'of type function', parent);
  if (parent.prototype === undefined) {
    throw invalidArgument('superCtor.prototype', 'of type object', parent.prototype);
  }
  Object.defineProperty(child, 'super_', { value: parent, writable: true, configurable: true });
  Object.setPrototypeOf(child.prototype, parent.prototype);
}

/** The warning would go to a terminal that does not exist: only the function stays. */
function deprecate(original) {
  if (typeof original !== 'function') throw invalidArgument('fn', 'of type function', original);
  function deprecated(...args) {
    return new.target ? Reflect.construct(original, args, new.target) : Reflect.apply(original, this, args);
  }
  Object.setPrototypeOf(deprecated, original);
  if (original.prototype) deprecated.prototype = original.prototype;
  return deprecated;
}

/** `NODE_DEBUG` is never set here. */
function debuglog() {
  const log = () => {};
  log.enabled = false;
  return log;
}

/** The name of an error number of the operating system. */
function getSystemErrorName(number) {
  const { NUMBERS } = require('errors');
  return Object.keys(NUMBERS).find((name) => NUMBERS[name] === number);
}

const types = new Proxy({}, {
  get: (_, name) => require('util-types')[name],
  has: (_, name) => name in require('util-types'),
  ownKeys: () => Reflect.ownKeys(require('util-types')),
  getOwnPropertyDescriptor: (_, name) => {
    const found = Reflect.getOwnPropertyDescriptor(require('util-types'), name);
    return found && { ...found, configurable: true };
  },
});

const isObject = (value) => value !== null && typeof value === 'object';

module.exports = {
  _extend: (target, source) => (isObject(source) ? Object.assign(target, source) : target),
  callbackify,
  debug: debuglog,
  debuglog,
  deprecate,
  format,
  formatWithOptions: (...args) => show().formatWithOptions(...args),
  getSystemErrorName,
  inherits,
  inspect,
  isArray: Array.isArray,
  isBoolean: (value) => typeof value === 'boolean',
  isBuffer: (value) => require('buffer').Buffer.isBuffer(value),
  isDate: (value) => require('util-types').isDate(value),
  isDeepStrictEqual: (one, other) => require('deep-equal')(one, other),
  isError: (value) => value instanceof Error || Object.prototype.toString.call(value) === '[object Error]',
  isFunction: (value) => typeof value === 'function',
  isNull: (value) => value === null,
  isNullOrUndefined: (value) => value === null || value === undefined,
  isNumber: (value) => typeof value === 'number',
  isObject,
  isPrimitive: (value) => !isObject(value) && typeof value !== 'function',
  isRegExp: (value) => value instanceof RegExp,
  isString: (value) => typeof value === 'string',
  isSymbol: (value) => typeof value === 'symbol',
  isUndefined: (value) => value === undefined,
  log: (...args) => globalThis.console.log(...args),
  promisify,
  stripVTControlCharacters: (text) => show().stripVTControlCharacters(text),
  toUSVString: (text) => String(text).toWellFormed(),
  types,
  get TextEncoder() {
    return require('encoding').TextEncoder;
  },
  get TextDecoder() {
    return require('encoding').TextDecoder;
  },
};
