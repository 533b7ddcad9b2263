// `url`: the old parser (npm's copy of Node's), and `URL` with its helpers.

'use strict';

const legacy = require('polyfill')('url');
const { URL, URLSearchParams } = require('whatwg-url');

const { coded, invalidArgument } = require('errors');

const oldFormat = legacy.format;

/** Objects of both kinds; options only for `URL`. */
function format(value, options) {
  if (!(value instanceof URL)) return oldFormat(value);
  const { auth = true, fragment = true, search = true, unicode = false } = options ?? {};
  const copy = new URL(value.href);
  if (!auth) copy.username = copy.password = '';
  if (!fragment) copy.hash = '';
  if (!search) copy.search = '';
  return unicode ? copy.href.replace(copy.hostname, domainToUnicode(copy.hostname)) : copy.href;
}

function fileURLToPath(value) {
  const url = typeof value === 'string' ? new URL(value) : value;
  if (!(url instanceof URL)) throw invalidArgument('path', 'of type string or an instance of URL', value);
  if (url.protocol !== 'file:') throw coded(TypeError, 'ERR_INVALID_URL_SCHEME', 'The URL must be of scheme file');
  return decodeURIComponent(url.pathname);
}

const domainToUnicode = (domain) => require('punycode').toUnicode(domain);

/** What http.request makes of a `URL`. */
function urlToHttpOptions(url) {
  const options = {
    protocol: url.protocol,
    hostname: url.hostname.replace(/^\[(.*)\]$/u, '$1'),
    hash: url.hash,
    search: url.search,
    pathname: url.pathname,
    path: `${url.pathname || ''}${url.search || ''}`,
    href: url.href,
  };
  if (url.port !== '') options.port = Number(url.port);
  if (url.username || url.password) {
    options.auth = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  }
  return options;
}

module.exports = {
  Url: legacy.Url,
  parse: legacy.parse,
  resolve: legacy.resolve,
  resolveObject: legacy.resolveObject,
  format,
  URL,
  URLSearchParams,
  domainToASCII: (domain) => native.domainToAscii(domain),
  domainToUnicode,
  fileURLToPath,
  pathToFileURL: (path) => new URL(`file://${encodeURI(require('path').resolve(path)).replace(/[?#]/gu, encodeURIComponent)}`),
  urlToHttpOptions,
};
