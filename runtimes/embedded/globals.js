// The names that scripts find without `require`, besides those of the language, the timers and
// `console`. Each is made when it is first touched.

'use strict';

const from = (module, name) => () => require(module)[name];

const GLOBALS = {
  Buffer: from('buffer', 'Buffer'),
  atob: from('buffer', 'atob'),
  btoa: from('buffer', 'btoa'),
  process: () => require('process'),
  URL: from('whatwg-url', 'URL'),
  URLSearchParams: from('whatwg-url', 'URLSearchParams'),
  TextEncoder: from('encoding', 'TextEncoder'),
  TextDecoder: from('encoding', 'TextDecoder'),
  structuredClone: () => require('structured-clone'),
  performance: from('perf_hooks', 'performance'),
  crypto: from('crypto', 'webcrypto'),
};
for (const name of ['AbortController', 'AbortSignal', 'CustomEvent', 'DOMException', 'Event', 'EventTarget']) {
  GLOBALS[name] = from('event-target', name);
}
for (const name of ['fetch', 'Headers', 'Request', 'Response']) GLOBALS[name] = from('fetch', name);
for (const name of ['Blob', 'File', 'FormData']) GLOBALS[name] = from('blob', name);
GLOBALS.ReadableStream = from('web-stream', 'ReadableStream');

/** Defines a global that is made on its first use and may be replaced like any other. */
function define(target, name, make) {
  const settle = (value) => {
    Object.defineProperty(target, name, { value, writable: true, configurable: true, enumerable: false });
    return value;
  };
  Object.defineProperty(target, name, { get: () => settle(make()), set: settle, configurable: true, enumerable: false });
}

/**
 * A stack begins with the error's own words, as scripts and drivers expect it. It is made when the
 * error is, before a class of the script's own has set `name`: the name of the class stands in.
 */
function stackOf(error, sites) {
  let head = 'Error';
  try {
    const { name = 'Error', message = '' } = error;
    const own = name === 'Error' ? error.constructor?.name || name : name;
    head = message === '' ? String(own) : `${own}: ${message}`;
  } catch {
    // An error that cannot be read keeps the plain word.
  }
  let text = head;
  for (const site of sites) {
    const place = site.isNative() ? 'native' : `${site.getFileName()}:${site.getLineNumber()}:${site.getColumnNumber()}`;
    const name = site.getFunctionName();
    text += name ? `\n    at ${name} (${place})` : `\n    at ${place}`;
  }
  return text;
}

function install(target) {
  Error.prepareStackTrace = stackOf;
  for (const [name, make] of Object.entries(GLOBALS)) define(target, name, make);
  Object.defineProperty(target, 'global', { value: target, writable: true, configurable: true, enumerable: false });
}

module.exports = { install };
