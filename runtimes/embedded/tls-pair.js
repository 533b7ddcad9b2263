// `tls.createSecurePair`, with which old drivers put TLS between two streams of their own.

'use strict';

const EventEmitter = require('events');
const { Duplex } = require('stream');

/** Two streams: what is written to one is read from the other. */
function joined() {
  const make = () => new Duplex({
    read() {
      const next = this.waiting;
      this.waiting = undefined;
      next?.();
    },
    write(chunk, encoding, done) {
      this.other.waiting = done;
      this.other.push(chunk);
    },
    final(done) {
      this.other.push(null);
      done();
    },
  });
  const [one, other] = [make(), make()];
  one.other = other;
  other.other = one;
  return [one, other];
}

/** A pair: `encrypted` goes to the connection, `cleartext` is for the caller. */
function createSecurePair(TLSSocket, context, isServer, requestCert, rejectUnauthorized) {
  const [inner, outer] = joined();
  const pair = new EventEmitter();
  const cleartext = new TLSSocket(inner, {
    secureContext: context, isServer, rejectUnauthorized: Boolean(rejectUnauthorized),
    // The name is the caller's to check: nothing here knows it.
    checkServerIdentity: () => undefined,
  });
  Object.assign(pair, { cleartext, encrypted: outer, ssl: cleartext, destroy: () => cleartext.destroy() });
  cleartext.on('secure', () => pair.emit('secure'));
  cleartext.on('_tlsError', (error) => pair.emit('error', error));
  cleartext.on('close', () => outer.destroy());
  return pair;
}

module.exports = { createSecurePair };
