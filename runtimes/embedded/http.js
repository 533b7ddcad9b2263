// `http`: the client half. Servers are refused.

'use strict';

const { Agent } = require('http-agent');
const { ClientRequest, checkHeader } = require('http-client');
const { IncomingMessage } = require('http-message');
const { coded, invalidArgument, refused } = require('errors');
const { Stream, Writable } = require('stream');

const METHODS = ['ACL', 'BIND', 'CHECKOUT', 'CONNECT', 'COPY', 'DELETE', 'GET', 'HEAD', 'LINK', 'LOCK', 'M-SEARCH', 'MERGE',
  'MKACTIVITY', 'MKCALENDAR', 'MKCOL', 'MOVE', 'NOTIFY', 'OPTIONS', 'PATCH', 'POST', 'PROPFIND', 'PROPPATCH', 'PURGE', 'PUT',
  'REBIND', 'REPORT', 'SEARCH', 'SOURCE', 'SUBSCRIBE', 'TRACE', 'UNBIND', 'UNLINK', 'UNLOCK', 'UNSUBSCRIBE'];

const STATUS_CODES = {
  100: 'Continue', 101: 'Switching Protocols', 102: 'Processing', 103: 'Early Hints', 200: 'OK', 201: 'Created', 202: 'Accepted',
  203: 'Non-Authoritative Information', 204: 'No Content', 205: 'Reset Content', 206: 'Partial Content', 207: 'Multi-Status',
  208: 'Already Reported', 226: 'IM Used', 300: 'Multiple Choices', 301: 'Moved Permanently', 302: 'Found', 303: 'See Other',
  304: 'Not Modified', 305: 'Use Proxy', 307: 'Temporary Redirect', 308: 'Permanent Redirect', 400: 'Bad Request',
  401: 'Unauthorized', 402: 'Payment Required', 403: 'Forbidden', 404: 'Not Found', 405: 'Method Not Allowed',
  406: 'Not Acceptable', 407: 'Proxy Authentication Required', 408: 'Request Timeout', 409: 'Conflict', 410: 'Gone',
  411: 'Length Required', 412: 'Precondition Failed', 413: 'Payload Too Large', 414: 'URI Too Long',
  415: 'Unsupported Media Type', 416: 'Range Not Satisfiable', 417: 'Expectation Failed', 418: "I'm a Teapot", 421: 'Misdirected Request',
  422: 'Unprocessable Entity', 423: 'Locked', 424: 'Failed Dependency', 425: 'Too Early', 426: 'Upgrade Required',
  428: 'Precondition Required', 429: 'Too Many Requests', 431: 'Request Header Fields Too Large',
  451: 'Unavailable For Legal Reasons', 500: 'Internal Server Error', 501: 'Not Implemented', 502: 'Bad Gateway',
  503: 'Service Unavailable', 504: 'Gateway Timeout', 505: 'HTTP Version Not Supported', 506: 'Variant Also Negotiates',
  507: 'Insufficient Storage', 508: 'Loop Detected', 509: 'Bandwidth Limit Exceeded', 510: 'Not Extended',
  511: 'Network Authentication Required',
};

/** Options of a request from `(url, options, callback)` in any shortened form. */
function optionsOf(args) {
  const { URL } = require('whatwg-url');
  const callback = typeof args.at(-1) === 'function' ? args.at(-1) : undefined;
  let options = {};
  for (const arg of args) {
    if (typeof arg === 'string') Object.assign(options, require('url').urlToHttpOptions(new URL(arg)));
    else if (arg instanceof URL) Object.assign(options, require('url').urlToHttpOptions(arg));
    // Options may be inherited: request and old clients build them so.
    else if (arg !== null && typeof arg === 'object') {
      options = Object.assign(Object.create(Object.getPrototypeOf(arg)), options, arg);
    }
  }
  return { options, callback };
}

/** The request functions of one protocol. */
function clientOf(protocol, defaultPort, module) {
  function request(...args) {
    const { options, callback } = optionsOf(args);
    const usual = options._defaultAgent ?? module.globalAgent;
    let agent = options.agent === false ? new usual.constructor() : options.agent ?? usual;
    if (typeof agent?.addRequest !== 'function') {
      throw invalidArgument('options.agent', 'one of Agent-like Object, undefined, or false', agent);
    }
    const wanted = options.protocol ?? agent.protocol ?? protocol;
    if (wanted !== (agent.protocol ?? protocol)) {
      throw coded(TypeError, 'ERR_INVALID_PROTOCOL',
        `Protocol "${wanted}" not supported. Expected "${agent.protocol ?? protocol}"`);
    }
    if (options.createConnection) {
      agent = Object.create(agent, { createConnection: { value: options.createConnection } });
    }
    const port = options.port || options.defaultPort || agent.defaultPort || defaultPort;
    const host = options.hostname || options.host || 'localhost';
    const fallback = options.defaultPort || agent.defaultPort || defaultPort;
    const full = Object.assign(options, { agent, port, host, protocol: wanted, defaultPort: fallback });
    return new ClientRequest(full, callback);
  }
  function get(...args) {
    const made = module.request(...args);
    made.end();
    return made;
  }
  return { request, get };
}

class OutgoingMessage extends Stream {}

class Refused {
  constructor() {
    throw refused('http.Server');
  }
}

const http = {
  Agent,
  ClientRequest,
  IncomingMessage,
  METHODS,
  OutgoingMessage,
  STATUS_CODES,
  Server: Refused,
  ServerResponse: class ServerResponse extends Writable {},
  createServer() {
    throw refused('http.createServer');
  },
  globalAgent: new Agent({ keepAlive: true, scheduling: 'lifo', timeout: 5000 }),
  maxHeaderSize: 16384,
  setMaxIdleHTTPParsers() {},
  validateHeaderName: (name) => checkHeader(name, ''),
  validateHeaderValue: checkHeader,
};
Object.assign(http, clientOf('http:', 80, http));

module.exports = http;
// For `https`, which is the same with another kind of socket.
Object.defineProperty(http, 'clientOf', { value: clientOf, enumerable: false });
