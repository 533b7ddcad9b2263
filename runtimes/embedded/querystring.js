// `querystring`.

'use strict';

const PLAIN = /^[A-Za-z0-9\-_.!~*'()]*$/u;

function escape(value) {
  const text = typeof value === 'object' ? String(value) : `${value}`;
  if (PLAIN.test(text)) return text;
  try {
    return encodeURIComponent(text);
  } catch {
    throw require('errors').coded(URIError, 'ERR_INVALID_URI', 'URI malformed');
  }
}

/** Wrong percent signs stay as they are; the rest is decoded as bytes. */
function unescapeBuffer(text) {
  const { Buffer } = require('buffer');
  const bytes = [];
  const source = Buffer.from(text);
  for (let index = 0; index < source.length; index += 1) {
    const pair = source[index] === 37 ? source.toString('latin1', index + 1, index + 3) : '';
    if (/^[0-9A-Fa-f]{2}$/u.test(pair)) {
      bytes.push(Number.parseInt(pair, 16));
      index += 2;
    } else bytes.push(source[index]);
  }
  return Buffer.from(bytes);
}

function unescape(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return unescapeBuffer(text).toString();
  }
}

const primitive = (value) => {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return `${value}`;
  return typeof value === 'bigint' || typeof value === 'boolean' ? `${value}` : '';
};

function stringify(fields, separator = '&', assign = '=', options = undefined) {
  if (fields === null || typeof fields !== 'object') return '';
  const encode = options?.encodeURIComponent ?? module.exports.escape;
  const pairs = [];
  for (const key of Object.keys(fields)) {
    const head = encode(primitive(key)) + (assign || '=');
    for (const value of Array.isArray(fields[key]) ? fields[key] : [fields[key]]) pairs.push(head + encode(primitive(value)));
  }
  return pairs.join(separator || '&');
}

function parse(text, separator = '&', assign = '=', options = undefined) {
  const fields = { __proto__: null };
  if (typeof text !== 'string' || text === '') return fields;
  const decode = options?.decodeURIComponent ?? module.exports.unescape;
  const limit = options?.maxKeys ?? 1000;
  let pairs = text.split(separator || '&');
  if (limit > 0) pairs = pairs.slice(0, limit);
  for (const pair of pairs) {
    if (pair === '') continue;
    const at = pair.indexOf(assign || '=');
    const cut = (part) => decode(part.replace(/\+/gu, ' '));
    const key = cut(at < 0 ? pair : pair.slice(0, at));
    const value = at < 0 ? '' : cut(pair.slice(at + (assign || '=').length));
    if (!(key in fields)) fields[key] = value;
    else if (Array.isArray(fields[key])) fields[key].push(value);
    else fields[key] = [fields[key], value];
  }
  return fields;
}

module.exports = { parse, stringify, escape, unescape, unescapeBuffer, decode: parse, encode: stringify };
