// As much of a SQL Server as a sign-in needs: pre-login, TLS inside the TDS packets, the login with its
// scrambled password, and one row for a query that names ann@example.com. Prints `{"port": PORT}` and
// ends with its standard input.
//
//   node tds.cjs KEY.pem CERTIFICATE.pem

'use strict';

const { readFileSync } = require('node:fs');
const { createServer } = require('node:net');
const { Duplex } = require('node:stream');
const tls = require('node:tls');

const [PRE_LOGIN, LOGIN, REPLY] = [0x12, 0x10, 0x04];
const PASSWORD = 'app-pässword';
const EMAIL = 'ann@example.com';
const context = tls.createSecureContext({
  key: readFileSync(process.argv[2]), cert: readFileSync(process.argv[3]), maxVersion: 'TLSv1.2',
});

const wide = (text) => Buffer.from(text, 'utf16le');
const short = (value) => Buffer.from([value & 255, value >> 8]);
const long = (value) => Buffer.from(Int32Array.of(value).buffer);
const name = (text) => Buffer.concat([Buffer.from([text.length]), wide(text)]);
const done = (token, status, count = 0) => Buffer.concat([Buffer.from([token]), short(status), short(0), long(count), long(0)]);
const sized = (token, body) => Buffer.concat([Buffer.from([token]), short(body.length), body]);

function packet(type, body) {
  const head = Buffer.from([type, 1, 0, 0, 0, 0, 1, 0]);
  head.writeUInt16BE(8 + body.length, 2);
  return Buffer.concat([head, body]);
}

/** Version, encryption on, and nothing else. */
const preLogin = () => Buffer.concat([Buffer.from([0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 255]), Buffer.from([16, 0, 0, 0, 0, 0]), Buffer.from([1])]);

/** The password of a login: nibbles swapped, then masked. */
function passwordOf(body) {
  const start = body.readUInt16LE(44);
  const hidden = body.subarray(start, start + body.readUInt16LE(46) * 2);
  return Buffer.from(hidden.map((byte) => (((byte ^ 0xa5) << 4) & 0xf0) | ((byte ^ 0xa5) >> 4))).toString('utf16le');
}

function login(body) {
  if (passwordOf(body) !== PASSWORD) {
    const text = "Login failed for user 'app'.";
    const fault = Buffer.concat([long(18456), Buffer.from([1, 14]), short(text.length), wide(text), name('ferry'), name(''), long(1)]);
    return Buffer.concat([sized(0xaa, fault), done(0xfd, 2)]);
  }
  const version = Buffer.from([0x74, 0, 0, 4]);
  return Buffer.concat([sized(0xad, Buffer.concat([Buffer.from([1]), version, name('ferry'), Buffer.from([16, 0, 0, 0])])), done(0xfd, 0)]);
}

/** A result set of two columns. */
function rows(body) {
  const collation = Buffer.from([9, 4, 208, 0, 52]);
  const flags = Buffer.from([0, 0, 0, 0, 9, 0]);
  const columns = [flags, Buffer.from([0xe7]), short(160), collation, name('email'), flags, Buffer.from([0x26, 4]), name('id')];
  const isAsked = body.indexOf(wide(EMAIL)) >= 0;
  const row = [Buffer.from([0xd1]), short(EMAIL.length * 2), wide(EMAIL), Buffer.from([4]), long(7)];
  return Buffer.concat([Buffer.from([0x81, 2, 0]), ...columns, ...(isAsked ? row : []), done(0xff, 0x11, Number(isAsked)),
    Buffer.from([0x79, 0, 0, 0, 0]), done(0xfe, 0)]);
}

/** Takes whole packets off a stream of bytes; a message may have several. */
function reader(handle) {
  let rest = Buffer.alloc(0);
  let message = [];
  return (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    while (rest.length >= 8 && rest.length >= rest.readUInt16BE(2)) {
      const length = rest.readUInt16BE(2);
      message.push(rest.subarray(8, length));
      const [type, status] = rest;
      rest = rest.subarray(length);
      if (status & 1) {
        const whole = Buffer.concat(message);
        message = [];
        handle(type, whole);
      }
    }
  };
}

function serve(socket) {
  let isRaw = false;
  const tunnel = new Duplex({
    read() {},
    // Records of the handshake travel in packets, everything after it does not.
    write: (bytes, encoding, next) => socket.write(isRaw ? bytes : packet(PRE_LOGIN, bytes), next),
  });
  const secure = new tls.TLSSocket(tunnel, { isServer: true, secureContext: context });
  secure.on('error', () => socket.destroy());
  secure.on('data', reader((type, body) => {
    if (type === LOGIN) secure.write(packet(REPLY, login(body)));
    else secure.write(packet(REPLY, type === 3 ? rows(body) : done(0xfd, 0)));
  }));
  let isGreeted = false;
  const plain = reader((type, body) => {
    if (isGreeted) tunnel.push(body);
    else socket.write(packet(REPLY, preLogin()));
    isGreeted = true;
  });
  socket.on('data', (bytes) => {
    isRaw ||= bytes[0] !== PRE_LOGIN;
    if (isRaw) tunnel.push(bytes);
    else plain(bytes);
  });
  socket.on('error', () => {});
  socket.on('close', () => secure.destroy());
}

const server = createServer(serve);
server.listen(0, '127.0.0.1', () => process.stdout.write(`${JSON.stringify({ port: server.address().port })}\n`));
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
