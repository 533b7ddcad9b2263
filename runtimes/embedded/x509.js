// The parts of a certificate that Node's `getPeerCertificate` shows, read from its DER.

'use strict';

const { Buffer } = require('buffer');
const { isIP } = require('ip-address');

const NAMES = {
  '2.5.4.3': 'CN', '2.5.4.6': 'C', '2.5.4.7': 'L', '2.5.4.8': 'ST', '2.5.4.10': 'O', '2.5.4.11': 'OU',
  '1.2.840.113549.1.9.1': 'emailAddress',
};
const SUBJECT_ALT_NAME = '2.5.29.17';

/** One element at an offset: tag, content, children when asked. */
function read(bytes, offset) {
  let length = bytes[offset + 1];
  let start = offset + 2;
  if (length & 0x80) {
    const count = length & 0x7f;
    length = bytes.readUIntBE(start, count);
    start += count;
  }
  const body = bytes.subarray(start, start + length);
  return { tag: bytes[offset], body, next: start + length };
}

function children(element) {
  const list = [];
  for (let offset = 0; offset < element.body.length;) {
    const child = read(element.body, offset);
    list.push(child);
    offset = child.next;
  }
  return list;
}

function identifier({ body }) {
  const parts = [Math.floor(body[0] / 40), body[0] % 40];
  let value = 0;
  for (const byte of body.subarray(1)) {
    value = value * 128 + (byte & 0x7f);
    if (!(byte & 0x80)) {
      parts.push(value);
      value = 0;
    }
  }
  return parts.join('.');
}

function nameOf(element) {
  const made = {};
  for (const set of children(element)) {
    const [kind, value] = children(children(set)[0]);
    const key = NAMES[identifier(kind)];
    if (key) made[key] = value.body.toString();
  }
  return made;
}

/** UTCTime or GeneralizedTime in Node's words: `Jan  2 03:04:05 2026 GMT`. */
function timeOf({ tag, body }) {
  const digits = body.toString('latin1');
  const year = tag === 0x17 ? (Number(digits.slice(0, 2)) < 50 ? '20' : '19') + digits.slice(0, 2) : digits.slice(0, 4);
  const rest = digits.slice(tag === 0x17 ? 2 : 4);
  const month = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')[Number(rest.slice(0, 2)) - 1];
  const day = String(Number(rest.slice(2, 4))).padStart(2, ' ');
  return `${month} ${day} ${rest.slice(4, 6)}:${rest.slice(6, 8)}:${rest.slice(8, 10)} ${year} GMT`;
}

function altNames(extensions) {
  for (const extension of children(children(extensions)[0])) {
    const parts = children(extension);
    if (identifier(parts[0]) !== SUBJECT_ALT_NAME) continue;
    return children(read(parts.at(-1).body, 0)).flatMap(({ tag, body }) => {
      if (tag === 0x82) return [`DNS:${body.toString('latin1')}`];
      if (tag === 0x87) {
        const groups = () => body.toString('hex').match(/.{4}/gu).map((group) => Number.parseInt(group, 16).toString(16));
        return [`IP Address:${body.length === 4 ? body.join('.') : groups().join(':')}`];
      }
      return tag === 0x81 ? [`email:${body.toString('latin1')}`] : [];
    }).join(', ');
  }
  return undefined;
}

const print = (algorithm, der) =>
  Buffer.from(native.hash(algorithm, der)).toString('hex').toUpperCase().match(/../gu).join(':');

function describe(der) {
  const raw = Buffer.from(der);
  const fields = children(children(read(raw, 0))[0]);
  if (fields[0].tag === 0xa0) fields.shift();
  const [serial, , issuer, validity, subject] = fields;
  const [from, to] = children(validity);
  const extensions = fields.find(({ tag }) => tag === 0xa3);
  return {
    subject: nameOf(subject),
    issuer: nameOf(issuer),
    subjectaltname: extensions && altNames(extensions),
    valid_from: timeOf(from),
    valid_to: timeOf(to),
    serialNumber: serial.body.toString('hex').replace(/^00/u, '').toUpperCase(),
    fingerprint: print('sha1', raw),
    fingerprint256: print('sha256', raw),
    raw,
  };
}

function matches(host, pattern) {
  const name = host.toLowerCase();
  const wanted = pattern.toLowerCase();
  if (!wanted.startsWith('*.')) return name === wanted;
  const at = name.indexOf('.');
  return at > 0 && name.slice(at) === wanted.slice(1);
}

/** The error for a certificate that is not that host's, or undefined. */
function nameFault(host, certificate) {
  const names = certificate.subjectaltname?.split(', ') ?? [];
  const bare = String(host).replace(/\.$/u, '');
  const dns = names.filter((name) => name.startsWith('DNS:')).map((name) => name.slice(4));
  let reason;
  if (isIP(bare)) {
    const addresses = names.filter((name) => name.startsWith('IP Address:')).map((name) => name.slice(11));
    if (addresses.includes(bare)) return undefined;
    reason = `IP: ${bare} is not in the cert's list: ${addresses.join(', ')}`;
  } else if (dns.length > 0) {
    if (dns.some((name) => matches(bare, name))) return undefined;
    reason = `Host: ${bare}. is not in the cert's altnames: ${certificate.subjectaltname}`;
  } else {
    if (certificate.subject?.CN && matches(bare, certificate.subject.CN)) return undefined;
    const name = certificate.subject?.CN;
    reason = name ? `Host: ${bare}. is not cert's CN: ${name}` : 'Cert does not contain a DNS name';
  }
  const error = new Error(`Hostname/IP does not match certificate's altnames: ${reason}`);
  return Object.assign(error, { code: 'ERR_TLS_CERT_ALTNAME_INVALID', reason, host, cert: certificate });
}

module.exports = { describe, nameFault };
