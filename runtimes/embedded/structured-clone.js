// `structuredClone`: data of the language's own kinds, cycles included.

'use strict';

const { DOMException } = require('event-target');
const types = require('util-types');

function refuse(value) {
  const shown = typeof value === 'symbol' ? String(value) : require('util').inspect(value);
  return new DOMException(`${shown} could not be cloned.`, 'DataCloneError');
}

function copyError(value) {
  const Base = { EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError }[value.name] ?? Error;
  const made = Object.create(Base.prototype);
  const copy = new Base(value.message);
  copy.stack = value.stack;
  return Object.hasOwn(value, 'message') ? copy : made;
}

/** The copy of an object without its members, or undefined for plain ones. */
function shell(value) {
  if (types.isDate(value)) return new Date(value.getTime());
  if (types.isRegExp(value)) return new RegExp(value.source, value.flags);
  if (types.isBoxedPrimitive(value)) return Object(value.valueOf());
  if (types.isArrayBuffer(value)) return value.slice(0);
  if (ArrayBuffer.isView(value)) {
    const memory = value.buffer.slice(value.byteOffset, value.byteOffset + value.byteLength);
    return new (types.isDataView(value) ? DataView : globalThis[Object.prototype.toString.call(value).slice(8, -1)])(memory);
  }
  return value instanceof Error ? copyError(value) : undefined;
}

function clone(value, seen) {
  if (typeof value === 'function' || typeof value === 'symbol') throw refuse(value);
  if (value === null || typeof value !== 'object') return value;
  if (seen.has(value)) return seen.get(value);
  if (types.isPromise(value) || types.isWeakMap(value) || types.isWeakSet(value)) throw refuse(value);
  const bare = shell(value);
  if (bare !== undefined) {
    seen.set(value, bare);
    return bare;
  }
  let copy = {};
  if (types.isMap(value)) copy = new Map();
  else if (types.isSet(value)) copy = new Set();
  else if (Array.isArray(value)) copy = new Array(value.length);
  seen.set(value, copy);
  if (types.isMap(value)) for (const [key, member] of [...value]) copy.set(clone(key, seen), clone(member, seen));
  else if (types.isSet(value)) for (const member of [...value]) copy.add(clone(member, seen));
  else for (const key of Object.keys(value)) copy[key] = clone(value[key], seen);
  return copy;
}

module.exports = function structuredClone(value) {
  if (arguments.length === 0) throw new TypeError("The \"value\" argument must be specified");
  return clone(value, new Map());
};
