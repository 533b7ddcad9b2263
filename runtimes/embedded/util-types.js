// `util/types`: what a value is by its construction, whatever its prototype says.

'use strict';

const { getOwnPropertyDescriptor, getPrototypeOf } = Object;

/** True when a method that looks into the object does not throw. */
const probe = (method, ...args) => (value) => {
  if (value === null || typeof value !== 'object') return false;
  try {
    Reflect.apply(method, value, args);
    return true;
  } catch {
    return false;
  }
};
const getter = (target, name) => getOwnPropertyDescriptor(target, name).get;

const typedArrayName = getter(getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag);
const nameOf = (value) => (ArrayBuffer.isView(value) ? Reflect.apply(typedArrayName, value, []) : undefined);
const tag = (value) => Object.prototype.toString.call(value).slice(8, -1);

const isDate = probe(Date.prototype.getTime);
const isMap = probe(getter(Map.prototype, 'size'));
const isSet = probe(getter(Set.prototype, 'size'));
const isWeakMap = probe(WeakMap.prototype.has, {});
const isWeakSet = probe(WeakSet.prototype.has, {});
const isArrayBuffer = probe(getter(ArrayBuffer.prototype, 'byteLength'));
const isSharedArrayBuffer = typeof SharedArrayBuffer === 'function'
  ? probe(getter(SharedArrayBuffer.prototype, 'byteLength')) : () => false;
const boxed = {
  Number: probe(Number.prototype.valueOf),
  String: probe(String.prototype.valueOf),
  Boolean: probe(Boolean.prototype.valueOf),
  BigInt: probe(BigInt.prototype.valueOf),
  Symbol: probe(Symbol.prototype.valueOf),
};

const types = {
  isAnyArrayBuffer: (value) => isArrayBuffer(value) || isSharedArrayBuffer(value),
  isArgumentsObject: (value) => tag(value) === 'Arguments' && !(Symbol.toStringTag in Object(value)),
  isArrayBuffer,
  isArrayBufferView: ArrayBuffer.isView,
  isAsyncFunction: (value) => typeof value === 'function' && tag(value).startsWith('Async'),
  isBoxedPrimitive: (value) => Object.values(boxed).some((is) => is(value)),
  isBigIntObject: boxed.BigInt,
  isBooleanObject: boxed.Boolean,
  isCryptoKey: () => false,
  isDataView: (value) => ArrayBuffer.isView(value) && nameOf(value) === undefined,
  isDate,
  isExternal: () => false,
  isGeneratorFunction: (value) => typeof value === 'function' && tag(value).endsWith('GeneratorFunction'),
  isGeneratorObject: (value) => /Generator$/u.test(tag(value)) && typeof value?.next === 'function',
  isKeyObject: (value) => value instanceof require('crypto').KeyObject,
  isMap,
  isMapIterator: (value) => tag(value) === 'Map Iterator',
  isModuleNamespaceObject: () => false,
  isNativeError: (value) => native.isError(value),
  isNumberObject: boxed.Number,
  isPromise: (value) => native.isPromise(value),
  isProxy: (value) => native.isProxy(value),
  isRegExp: probe(getter(RegExp.prototype, 'global')),
  isSet,
  isSetIterator: (value) => tag(value) === 'Set Iterator',
  isSharedArrayBuffer,
  isStringObject: boxed.String,
  isSymbolObject: boxed.Symbol,
  isTypedArray: (value) => nameOf(value) !== undefined,
  isWeakMap,
  isWeakSet,
};
for (const name of ['Uint8Array', 'Uint8ClampedArray', 'Uint16Array', 'Uint32Array', 'Int8Array', 'Int16Array',
  'Int32Array', 'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array']) {
  types[`is${name}`] = (value) => nameOf(value) === name;
}

module.exports = types;
