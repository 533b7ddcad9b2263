// `http.Agent`: sockets by destination, kept for the next request when that was asked for.

'use strict';

const EventEmitter = require('events');
const net = require('net');
const timers = require('timers');

class Agent extends EventEmitter {
  constructor(options = {}) {
    super();
    this.options = { path: null, noDelay: true, ...options };
    this.defaultPort = 80;
    this.protocol = 'http:';
    this.requests = {};
    this.sockets = {};
    this.freeSockets = {};
    this.keepAlive = Boolean(this.options.keepAlive);
    this.keepAliveMsecs = this.options.keepAliveMsecs ?? 1000;
    this.maxSockets = this.options.maxSockets ?? Infinity;
    this.maxFreeSockets = this.options.maxFreeSockets ?? 256;
    this.maxTotalSockets = this.options.maxTotalSockets ?? Infinity;
    this.totalSocketCount = 0;
    this.scheduling = this.options.scheduling ?? 'lifo';
    this.on('free', (socket, given) => this._freed(socket, given));
  }

  createConnection(options, callback) {
    return net.createConnection(options, callback);
  }

  getName({ host, port, localAddress, family } = {}) {
    const tail = family === 4 || family === 6 ? `:${family}` : '';
    return `${host || 'localhost'}:${port ?? ''}:${localAddress ?? ''}${tail}`;
  }

  addRequest(request, options, port, localAddress) {
    let given = typeof options === 'string' ? { host: options, port, localAddress } : { ...options };
    given = { ...given, ...this.options };
    const name = this.getName(given);
    const free = this.freeSockets[name] ?? [];
    while (free.length > 0) {
      const socket = this.scheduling === 'fifo' ? free.shift() : free.pop();
      if (free.length === 0) delete this.freeSockets[name];
      if (socket.destroyed || !socket.writable) continue;
      this._listed(this.sockets, name).push(socket);
      request.reusedSocket = true;
      this.reuseSocket(socket, request);
      give(request, socket, given);
      return;
    }
    if (this._listed(this.sockets, name).length < this.maxSockets && this.totalSocketCount < this.maxTotalSockets) {
      this._open(request, given, name);
    } else this._listed(this.requests, name).push({ request, given });
    if (this.sockets[name]?.length === 0) delete this.sockets[name];
  }

  _listed(table, name) {
    table[name] ??= [];
    return table[name];
  }

  _open(request, given, name) {
    this.createSocket(request, given, (error, socket) => {
      if (error) request.onSocket(null, error);
      else give(request, socket, given);
    }, name);
  }

  createSocket(request, given, done, name = this.getName(given)) {
    const options = { ...given, path: given.socketPath ?? undefined };
    const host = request.getHeader?.('host');
    if (options.servername === undefined && host && !net.isIP(options.host)) {
      options.servername = String(host).replace(/:\d+$/u, '').replace(/^\[|\]$/gu, '');
    }
    let isDone = false;
    const created = (error, socket) => {
      if (isDone) return;
      isDone = true;
      if (!error) this._adopt(socket, options, name);
      done(error, socket);
    };
    let socket;
    try {
      socket = this.createConnection(options, created);
    } catch (reason) {
      created(reason);
      return;
    }
    // An agent of a package may answer later.
    if (socket && typeof socket.on === 'function') created(null, socket);
  }

  _adopt(socket, options, name) {
    this._listed(this.sockets, name).push(socket);
    this.totalSocketCount += 1;
    socket._agentName = name;
    const onFree = () => this.emit('free', socket, options);
    const onRemove = () => this.removeSocket(socket, options);
    socket.on('free', onFree);
    socket.on('close', onRemove);
    socket.on('agentRemove', () => {
      socket.removeListener('free', onFree);
      socket.removeListener('close', onRemove);
      onRemove();
    });
  }

  _freed(socket, given) {
    const name = this.getName(given);
    const waiting = this.requests[name];
    if (waiting?.length > 0 && socket.writable) {
      const { request } = waiting.shift();
      if (waiting.length === 0) delete this.requests[name];
      request.reusedSocket = true;
      give(request, socket, given);
      return;
    }
    const free = this.freeSockets[name] ?? [];
    if (!this.keepAlive || !socket.writable || free.length >= this.maxFreeSockets || !this.keepSocketAlive(socket)) {
      socket.destroy();
      return;
    }
    this._forget(this.sockets, name, socket);
    this._listed(this.freeSockets, name).push(socket);
    // The server may close an idle connection at any time; nobody must fall over that.
    socket._idleError = () => socket.destroy();
    socket.on('error', socket._idleError);
    socket.setTimeout(this.options.timeout ?? 5000, socket._idleError);
  }

  _forget(table, name, socket) {
    const list = table[name];
    const at = list?.indexOf(socket) ?? -1;
    if (at < 0) return false;
    list.splice(at, 1);
    if (list.length === 0) delete table[name];
    return true;
  }

  removeSocket(socket, given) {
    const name = this.getName(given);
    const wasBusy = this._forget(this.sockets, name, socket);
    if (wasBusy || this._forget(this.freeSockets, name, socket)) this.totalSocketCount -= 1;
    const next = this.requests[name]?.shift();
    if (this.requests[name]?.length === 0) delete this.requests[name];
    if (next) this._open(next.request, next.given, name);
  }

  keepSocketAlive(socket) {
    socket.setKeepAlive(true, this.keepAliveMsecs);
    return true;
  }

  reuseSocket(socket) {
    socket.setTimeout(0);
    if (socket._idleError) {
      socket.removeListener('error', socket._idleError);
      socket.removeListener('timeout', socket._idleError);
      socket._idleError = undefined;
    }
  }

  destroy() {
    for (const table of [this.freeSockets, this.sockets]) {
      for (const list of Object.values(table)) for (const socket of [...list]) socket.destroy();
    }
  }
}

/** A socket is handed over in a later turn, as Node does it: listeners must be in place. */
function give(request, socket, given) {
  timers.nextTick(() => {
    if (request.destroyed) {
      if (request.reusedSocket) socket.emit('free');
      else socket.destroy();
      return;
    }
    if (given.timeout && request.timeout === undefined) request.timeout = given.timeout;
    request.onSocket(socket);
  });
}

module.exports = { Agent };
