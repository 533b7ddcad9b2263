// `process`: an empty environment, no arguments, no way out.

'use strict';

const EventEmitter = require('events');

const VERSION = '20.20.2';

const process = Object.create(EventEmitter.prototype);
EventEmitter.call(process);

const unavailable = (name) => () => {
  throw new Error(`process.${name} is not available to action scripts`);
};

function hrtime(since) {
  const now = native.now();
  let seconds = Math.floor(now / 1000);
  let nanos = Math.floor((now % 1000) * 1e6);
  if (since) {
    seconds -= since[0];
    nanos -= since[1];
    if (nanos < 0) {
      seconds -= 1;
      nanos += 1e9;
    }
  }
  return [seconds, nanos];
}
hrtime.bigint = () => BigInt(Math.floor(native.now() * 1e6));

/** Standard output and error of a worker are nobody's: what is written is dropped. */
function output(fd) {
  const { Writable } = require('stream');
  const stream = new Writable({ write: (chunk, encoding, done) => done() });
  return Object.assign(stream, { fd, isTTY: false, columns: 80 });
}

function emitWarning(warning, type = 'Warning') {
  const name = typeof type === 'string' ? type : type?.type ?? 'Warning';
  if (name === 'DeprecationWarning') return;
  globalThis.console.warn(typeof warning === 'string' ? `${name}: ${warning}` : String(warning));
}

Object.assign(process, {
  title: 'ferry',
  version: `v${VERSION}`,
  versions: { node: VERSION, openssl: '3.0.0', modules: '115', uv: '1.46.0', zlib: '1.3' },
  release: { name: 'node', lts: 'Iron' },
  arch: 'x64',
  platform: 'linux',
  pid: 1,
  ppid: 0,
  argv: ['node'],
  argv0: 'node',
  execArgv: [],
  execPath: '/usr/bin/node',
  env: {},
  exitCode: undefined,
  features: { inspector: false, tls: true },
  config: { target_defaults: {}, variables: {} },
  allowedNodeEnvironmentFlags: new Set(),
  cwd: () => '/',
  chdir: unavailable('chdir'),
  umask: () => 0o22,
  uptime: () => native.now() / 1000,
  hrtime,
  nextTick: (callback, ...args) => require('timers').nextTick(callback, ...args),
  memoryUsage: () => native.memory?.() ?? { rss: 0, heapTotal: 0, heapUsed: 0, external: 0, arrayBuffers: 0 },
  cpuUsage: () => ({ user: 0, system: 0 }),
  getuid: () => 65534,
  geteuid: () => 65534,
  getgid: () => 65534,
  getegid: () => 65534,
  emitWarning,
  // Drivers look for Node's private bindings in try blocks.
  binding: unavailable('binding'),
  [Symbol.toStringTag]: 'process',
});
process.memoryUsage.rss = () => process.memoryUsage().rss;
for (const name of ['exit', 'reallyExit', 'abort', 'kill', '_kill', 'dlopen']) process[name] = unavailable(name);

for (const [name, make] of [['stdout', () => output(1)], ['stderr', () => output(2)], ['stdin', () => {
  const { Readable } = require('stream');
  return Object.assign(new Readable({ read() {} }), { fd: 0, isTTY: false });
}]]) {
  Object.defineProperty(process, name, {
    configurable: true,
    enumerable: true,
    get() {
      const value = make();
      Object.defineProperty(process, name, { value, configurable: true, enumerable: true, writable: true });
      return value;
    },
  });
}

module.exports = process;
