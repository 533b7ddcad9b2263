// `util.isDeepStrictEqual`: same structure, same types, same values.

'use strict';

const types = require('util-types');

const sameKeys = (one, other) => {
  const keys = Reflect.ownKeys(one).filter((key) => Object.prototype.propertyIsEnumerable.call(one, key));
  const count = Reflect.ownKeys(other).filter((key) => Object.prototype.propertyIsEnumerable.call(other, key));
  return keys.length === count.length && keys.every((key) => Object.hasOwn(other, key)) ? keys : undefined;
};

function sameMembers(one, other, seen) {
  if (one.size !== other.size) return false;
  for (const member of one) {
    const [key, value] = types.isMap(one) ? member : [member, undefined];
    const found = other.has(key) ? key : [...other.keys()].find((key2) => equal(key, key2, seen));
    if (found === undefined && !other.has(key)) return false;
    if (types.isMap(one) && !equal(value, other.get(found), seen)) return false;
  }
  return true;
}

function equal(one, other, seen) {
  if (Object.is(one, other)) return true;
  if (one === null || other === null || typeof one !== 'object' || typeof other !== 'object') return false;
  if (Object.getPrototypeOf(one) !== Object.getPrototypeOf(other)) return false;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  if (types.isDate(one) && one.getTime() !== other.getTime()) return false;
  if (types.isRegExp(one) && String(one) !== String(other)) return false;
  if (one instanceof Error && (one.message !== other.message || one.name !== other.name)) return false;
  if (types.isBoxedPrimitive(one) && !Object.is(one.valueOf(), other.valueOf())) return false;
  if (seen.get(one) === other) return true;
  seen.set(one, other);
  if ((types.isMap(one) || types.isSet(one)) && !sameMembers(one, other, seen)) return false;
  const keys = sameKeys(one, other);
  return keys !== undefined && keys.every((key) => equal(one[key], other[key], seen));
}

module.exports = (one, other) => equal(one, other, new Map());
