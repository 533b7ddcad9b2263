// Loads the npm polyfills that some modules of this folder are built on (runtimes/packages,
// `internal/…`). They meet each other and the rest through our own modules, so that there is one
// Buffer class and one EventEmitter.

'use strict';

const OWN = {
  __proto__: null,
  'abort-controller': () => require('event-target'),
  buffer: () => require('buffer'),
  events: () => require('events'),
  process: () => require('process'),
  punycode: () => require('punycode'),
  qs: () => {
    const { parse, stringify } = require('querystring');
    // The url polyfill hands qs its own options; Node's url uses plain querystring.
    return { parse: (text) => parse(text), stringify: (fields) => stringify(fields) };
  },
  stream: () => require('stream'),
  string_decoder: () => require('string_decoder'),
  util: () => require('util'),
};

let files;

function fileOf(name) {
  files ??= new Map(native.packageNames().map((entry) => [entry.name, entry.file]));
  return files.get(`internal/${name}`);
}

/** The exports of an internal bundle. */
module.exports = function polyfill(name) {
  const holder = { exports: {} };
  const inner = (asked) => OWN[asked.replace(/\/$/u, '')]();
  native.compilePackage(fileOf(name))(holder.exports, inner, holder, '', '');
  return holder.exports['']();
};
