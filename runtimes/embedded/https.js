// `https`: `http` over TLS.

'use strict';

const { clientOf } = require('http');
const { Agent: PlainAgent } = require('http-agent');
const { refused } = require('errors');

/** What makes two TLS connections different besides their destination. */
const DISTINCT = ['ca', 'cert', 'ciphers', 'key', 'pfx', 'rejectUnauthorized', 'servername', 'minVersion', 'maxVersion'];

class Agent extends PlainAgent {
  constructor(options) {
    super(options);
    this.defaultPort = 443;
    this.protocol = 'https:';
  }

  createConnection(options, callback) {
    const socket = require('tls').connect(options);
    if (callback) socket.once('secureConnect', () => callback(null, socket));
    return socket;
  }

  getName(options = {}) {
    const parts = DISTINCT.map((key) => {
      const value = options[key];
      return value === undefined || (key === 'servername' && value === options.host) ? '' : String(value);
    });
    return [super.getName(options), ...parts].join(':');
  }
}

const https = {
  Agent,
  createServer() {
    throw refused('https.createServer');
  },
  globalAgent: new Agent({ keepAlive: true, scheduling: 'lifo', timeout: 5000 }),
};
Object.assign(https, clientOf('https:', 443, https));

module.exports = https;
