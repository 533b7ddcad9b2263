// `bcrypt` and `bcryptjs`: one module under both names; the hashing is native.
//
// npm's bcrypt knows `$2a$` and `$2b$` hashes; anything else compares as false, which is kept.

'use strict';

const { Buffer, wrap } = require('buffer');

const ALPHABET = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const STANDARD = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const SALT = /^\$2[ab]\$(\d{2})\$[./A-Za-z0-9]{22}/u;
const HASH = /^\$2[ab]\$\d{2}\$[./A-Za-z0-9]{53}$/u;

const BAD_SALT = 'data must be a string or Buffer and salt must either be a salt string or a number of rounds';

const isText = (value) => typeof value === 'string' || value instanceof Uint8Array;
const bytesOf = (password) => (typeof password === 'string' ? Buffer.from(password) : password);

/** Settles a callback or a promise with what `work(done)` answers. */
function settle(callback, work) {
  const { nextTick } = require('timers');
  if (typeof callback === 'function') {
    nextTick(() => work(callback));
    return undefined;
  }
  if (callback !== undefined && callback !== null) {
    return Promise.reject(new Error('cb must be a function or null to return a Promise'));
  }
  return new Promise((resolve, reject) => {
    work((error, value) => (error ? reject(error) : resolve(value)));
  });
}

function saltText(rounds, minor) {
  const cost = Math.min(31, Math.max(4, Math.trunc(Number(rounds)) || 10));
  const plain = wrap(native.random(16)).toString('base64').slice(0, 22);
  const text = Array.from(plain, (sign) => ALPHABET[STANDARD.indexOf(sign)]).join('');
  return `$2${minor}$${String(cost).padStart(2, '0')}$${text}`;
}

function checkRounds(rounds, minor) {
  if (rounds !== undefined && rounds !== null && typeof rounds !== 'number') {
    throw new Error('rounds must be a number');
  }
  if (minor !== 'a' && minor !== 'b') throw new Error('minor must be either "a" or "b"');
}

function genSaltSync(rounds, minor = 'b') {
  const version = typeof minor === 'string' ? minor : 'b';
  checkRounds(rounds, version);
  return saltText(rounds ?? 10, version);
}

/** `genSalt([rounds], [minor], [callback])`. */
function genSalt(...args) {
  const callback = args.find((arg) => typeof arg === 'function');
  const [rounds, minor] = args.filter((arg) => typeof arg !== 'function');
  return settle(callback, (done) => {
    let salt;
    try {
      salt = genSaltSync(rounds, minor);
    } catch (reason) {
      done(reason);
      return;
    }
    done(null, salt);
  });
}

/** The salt for what `hash` was given: rounds or a salt. */
function saltFor(data, salt) {
  if (data === undefined || data === null || salt === undefined || salt === null) {
    throw new Error('data and salt arguments required');
  }
  if (!isText(data) || (typeof salt !== 'string' && typeof salt !== 'number')) {
    throw new Error(BAD_SALT);
  }
  if (typeof salt === 'number') return saltText(salt, 'b');
  const match = SALT.exec(salt);
  if (!match) throw new Error('Invalid salt. Salt must be in the form of: $Vers$log2(NumRounds)$saltvalue');
  return match[0];
}

const failure = (report) => (report ? Object.assign(new Error(report.message), { code: report.code }) : null);

const hashSync = (data, salt) => {
  const text = saltFor(data, salt);
  return native.bcryptHash(bytesOf(data), text, null);
};

function hash(data, salt, callback) {
  if (typeof data === 'function') {
    return settle(data, (done) => done(new Error(BAD_SALT)));
  }
  if (typeof salt === 'function') {
    return settle(salt, (done) => done(new Error(BAD_SALT)));
  }
  return settle(callback, (done) => {
    let text;
    try {
      text = saltFor(data, salt);
    } catch (reason) {
      done(reason);
      return;
    }
    native.bcryptHash(bytesOf(data), text, (report, made) => done(failure(report), made));
  });
}

function checkComparison(data, stored, complaint) {
  if (data === undefined || data === null || stored === undefined || stored === null) {
    throw new Error('data and hash arguments required');
  }
  if (!isText(data) || typeof stored !== 'string') {
    throw new Error(complaint);
  }
}

function compareSync(data, stored) {
  checkComparison(data, stored, 'data must be a string or Buffer and hash must be a string');
  return HASH.test(stored) && native.bcryptVerify(bytesOf(data), stored, null);
}

function compare(data, stored, callback) {
  const done = [data, stored, callback].find((arg) => typeof arg === 'function');
  return settle(done ?? callback, (answer) => {
    try {
      if (done !== undefined && done !== callback) throw new Error('data and hash arguments required');
      checkComparison(data, stored, 'data and hash must be strings');
    } catch (reason) {
      answer(reason);
      return;
    }
    if (!HASH.test(stored)) answer(null, false);
    else native.bcryptVerify(bytesOf(data), stored, (report, isSame) => answer(failure(report), isSame));
  });
}

function getRounds(stored) {
  if (stored === undefined || stored === null) throw new Error('hash argument required');
  if (typeof stored !== 'string') throw new Error('hash must be a string');
  const match = /^\$2[abxy]?\$(\d{2})\$/u.exec(stored);
  if (!match) throw new Error('invalid hash');
  return Number(match[1]);
}

module.exports = {
  compare,
  compareSync,
  genSalt,
  genSaltSync,
  getRounds,
  getSalt: (stored) => stored.slice(0, 29),
  hash,
  hashSync,
  truncates: (password) => Buffer.byteLength(password) > 72,
};
module.exports.default = module.exports;
