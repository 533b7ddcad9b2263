// As much of a MongoDB server as a sign-in needs: the handshake, SCRAM-SHA-256 with real proofs, and
// `find` in one collection. Prints `{"port": PORT}` and ends with its standard input.
//
//   node mongo.cjs FOLDER_WITH_NODE_MODULES

'use strict';

const { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } = require('node:crypto');
const { createRequire } = require('node:module');
const { createServer } = require('node:net');
const { join } = require('node:path');

const { BSON, ObjectId } = createRequire(join(process.argv[2], 'x.cjs'))('mongodb');

const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;
const USER = 'app';
const PASSWORD = 'app-pässword';
const ITERATIONS = 4096;
const PEOPLE = [
  { _id: new ObjectId('0123456789abcdef01234567'), email: 'ann@example.com', name: 'Änn', age: 42, at: new Date(0), ratio: 0.5, tags: ['a'] },
  { _id: new ObjectId('0123456789abcdef01234568'), email: 'bob@example.com', name: 'Bob' },
];

const hmac = (key, text) => createHmac('sha256', key).update(text).digest();
const sha256 = (bytes) => createHash('sha256').update(bytes).digest();
const fault = (code, codeName, errmsg) => ({ ok: 0, code, codeName, errmsg });

/** One client's conversation: what SCRAM has to remember. */
class Conversation {
  start({ mechanism, payload }) {
    if (mechanism !== 'SCRAM-SHA-256') return fault(2, 'BadValue', `no ${mechanism} here`);
    this.bare = payload.buffer.toString().replace(/^n,,/, '');
    this.salt = randomBytes(16);
    this.nonce = /r=(.*)$/.exec(this.bare)[1] + randomBytes(12).toString('base64');
    this.first = `r=${this.nonce},s=${this.salt.toString('base64')},i=${ITERATIONS}`;
    return { conversationId: 1, done: false, payload: new BSON.Binary(Buffer.from(this.first)), ok: 1 };
  }

  proceed({ payload }) {
    const text = payload.buffer.toString();
    if (text === '') return { conversationId: 1, done: true, payload: new BSON.Binary(Buffer.alloc(0)), ok: 1 };
    const [, plain, proof] = /^(c=biws,r=[^,]*),p=(.*)$/.exec(text);
    const salted = pbkdf2Sync(PASSWORD, this.salt, ITERATIONS, 32, 'sha256');
    const key = hmac(salted, 'Client Key');
    const signature = hmac(sha256(key), `${this.bare},${this.first},${plain}`);
    const wanted = Buffer.from(key.map((byte, index) => byte ^ signature[index]));
    const given = Buffer.from(proof, 'base64');
    if (!this.bare.includes(`n=${USER},`) || given.length !== 32 || !timingSafeEqual(wanted, given)) {
      return fault(18, 'AuthenticationFailed', 'Authentication failed.');
    }
    this.isKnown = true;
    const answer = hmac(hmac(salted, 'Server Key'), `${this.bare},${this.first},${plain}`).toString('base64');
    return { conversationId: 1, done: true, payload: new BSON.Binary(Buffer.from(`v=${answer}`)), ok: 1 };
  }

  find({ find, filter, limit }) {
    if (!this.isKnown) return fault(13, 'Unauthorized', `command find requires authentication`);
    const matches = (person) => Object.entries(filter ?? {}).every(([key, value]) => person[key] === value);
    const firstBatch = find === 'users' ? PEOPLE.filter(matches).slice(0, Math.abs(limit || 100)) : [];
    return { cursor: { id: BSON.Long.ZERO, ns: `legacy.${find}`, firstBatch }, ok: 1 };
  }

  answer(command) {
    const [name] = Object.keys(command);
    if (/^(?:hello|ismaster)$/i.test(name)) {
      return {
        helloOk: true, ismaster: true, isWritablePrimary: true, maxBsonObjectSize: 16777216, maxMessageSizeBytes: 48000000,
        maxWriteBatchSize: 100000, localTime: new Date(0), minWireVersion: 0, maxWireVersion: 21, readOnly: false,
        saslSupportedMechs: ['SCRAM-SHA-256'], ok: 1,
      };
    }
    if (name === 'saslStart') return this.start(command);
    if (name === 'saslContinue') return this.proceed(command);
    if (name === 'find') return this.find(command);
    return /^(?:ping|endSessions|killCursors)$/.test(name) ? { ok: 1 } : fault(59, 'CommandNotFound', `no such command: '${name}'`);
  }
}

/** The command in a message, and what its answer is wrapped in. */
function unwrap(message) {
  const code = message.readInt32LE(12);
  if (code === OP_MSG) return { command: BSON.deserialize(message.subarray(21)), code: OP_MSG, head: Buffer.alloc(5) };
  if (code !== OP_QUERY) throw new Error(`operation ${code}`);
  const start = message.indexOf(0, 20) + 9;
  const head = Buffer.alloc(20);
  head.writeInt32LE(1, 16);
  const end = start + message.readInt32LE(start);
  return { command: BSON.deserialize(message.subarray(start, end)), code: OP_REPLY, head };
}

function reply(message, conversation) {
  const { command, code, head } = unwrap(message);
  const body = Buffer.concat([head, BSON.serialize(conversation.answer(command))]);
  const frame = Buffer.alloc(16);
  [16 + body.length, 1, message.readInt32LE(4), code].forEach((value, index) => frame.writeInt32LE(value, index * 4));
  return Buffer.concat([frame, body]);
}

const server = createServer((socket) => {
  const conversation = new Conversation();
  let rest = Buffer.alloc(0);
  socket.on('error', () => {});
  socket.on('data', (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    while (rest.length >= 4 && rest.length >= rest.readInt32LE(0)) {
      const length = rest.readInt32LE(0);
      socket.write(reply(rest.subarray(0, length), conversation));
      rest = rest.subarray(length);
    }
  });
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`${JSON.stringify({ port: server.address().port })}\n`));
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
