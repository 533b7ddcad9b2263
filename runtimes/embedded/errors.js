// Errors with Node's codes: what drivers and scripts look at is `code`, `errno`, `syscall`.

'use strict';

/** Linux numbers of the codes that sockets and names can fail with, as libuv reports them. */
const NUMBERS = {
  __proto__: null, EPERM: -1, ENOENT: -2, EBADF: -9, EACCES: -13, EINVAL: -22, EPIPE: -32, EADDRINUSE: -98,
  EADDRNOTAVAIL: -99, ENETUNREACH: -101, ECONNABORTED: -103, ECONNRESET: -104, EISCONN: -106, ENOTCONN: -107,
  ETIMEDOUT: -110, ECONNREFUSED: -111, EHOSTUNREACH: -113, ECANCELED: -125, ENOTFOUND: -3008, EAI_AGAIN: -3001,
};

/** An error of Node's own: `TypeError [ERR_X]: message` in its stack, plain `name`. */
function coded(Base, code, message) {
  const error = new Base(message);
  error.code = code;
  if (Error.captureStackTrace) {
    // The code belongs to the stack's first line and not to the name.
    error.name = `${Base.name} [${code}]`;
    Error.captureStackTrace(error, coded);
    void error.stack;
    delete error.name;
  }
  return error;
}

/** An error of the operating system from what a native operation reports. */
function system(report) {
  const { code, syscall, address, port, hostname, message } = report;
  const where = address === undefined ? hostname : `${address}${port === undefined ? '' : `:${port}`}`;
  const error = new Error(message ?? `${syscall} ${code}${where === undefined ? '' : ` ${where}`}`);
  const errno = report.errno ?? NUMBERS[code];
  if (errno !== undefined) error.errno = errno;
  error.code = code;
  if (syscall !== undefined) error.syscall = syscall;
  if (address !== undefined) error.address = address;
  if (port !== undefined) error.port = port;
  if (hostname !== undefined) error.hostname = hostname;
  return error;
}

function describeValue(value) {
  if (value === null || value === undefined) return ` Received ${value}`;
  if (typeof value === 'function') return ` Received function ${value.name}`;
  if (typeof value === 'object') {
    const name = value.constructor?.name;
    return name ? ` Received an instance of ${name}` : ' Received an object';
  }
  const text = typeof value === 'string' ? `'${value.length > 25 ? `${value.slice(0, 25)}...` : value}'` : String(value);
  return ` Received type ${typeof value} (${text})`;
}

function invalidArgument(name, expected, value) {
  const kind = name.includes('.') ? 'property' : 'argument';
  const subject = name.endsWith(' argument') ? name.replace(/^The /u, '') : `"${name}" ${kind}`;
  return coded(TypeError, 'ERR_INVALID_ARG_TYPE', `The ${subject} must be ${expected}.${describeValue(value)}`);
}

/** What action scripts do not get: the process is confined, and the answer should say so. */
function refused(what) {
  const error = new Error(`${what} is not available to action scripts`);
  error.code = 'EACCES';
  error.errno = NUMBERS.EACCES;
  return error;
}

module.exports = { coded, describeValue, invalidArgument, refused, system, NUMBERS };
