// `dns`: names resolve as the system's resolver does it. Records other than addresses are not
// looked up.

'use strict';

const { system, invalidArgument } = require('errors');
const { isIP } = require('ip-address');

/** `lookup(name, [options | family], callback)`. */
function lookup(name, options, callback) {
  if (typeof options === 'function') return lookup(name, {}, options);
  if (typeof callback !== 'function') throw invalidArgument('callback', 'of type function', callback);
  const { family: wanted = 0, all = false } = typeof options === 'number' ? { family: options } : options ?? {};
  const family = Number(String(wanted).replace('IPv', '')) || 0;
  const { nextTick } = require('timers');
  if (!name) {
    nextTick(() => (all ? callback(null, []) : callback(null, null, family === 6 ? 6 : 4)));
    return {};
  }
  const known = isIP(name);
  if (known) {
    nextTick(() => (all ? callback(null, [{ address: name, family: known }]) : callback(null, name, known)));
    return {};
  }
  native.lookup(String(name), family, (report, found) => {
    if (report) {
      callback(system({ syscall: 'getaddrinfo', hostname: name, ...report,
        message: `getaddrinfo ${report.code} ${name}` }));
    } else if (all) callback(null, found);
    else callback(null, found[0].address, found[0].family);
  });
  return {};
}

/** The lookups that would need a DNS client of their own: addresses only. */
function resolver(family) {
  return (name, ...rest) => {
    const callback = rest.at(-1);
    lookup(name, { family, all: true }, (error, found) => {
      if (error) callback(Object.assign(error, { syscall: `query${family === 6 ? 'Aaaa' : 'A'}` }));
      else callback(null, found.map(({ address }) => address));
    });
  };
}

function unanswered(kind) {
  return (name, ...rest) => {
    const callback = rest.at(-1);
    require('timers').nextTick(callback, system({ code: 'ENOTFOUND', syscall: `query${kind}`, hostname: name,
      message: `query${kind} ENOTFOUND ${name}` }));
  };
}

const dns = {
  ADDRCONFIG: 32,
  ALL: 16,
  V4MAPPED: 8,
  NODATA: 'ENODATA',
  NOTFOUND: 'ENOTFOUND',
  SERVFAIL: 'ESERVFAIL',
  getDefaultResultOrder: () => 'verbatim',
  getServers: () => [],
  lookup,
  resolve4: resolver(4),
  resolve6: resolver(6),
  resolveCname: unanswered('Cname'),
  resolveMx: unanswered('Mx'),
  resolveNs: unanswered('Ns'),
  resolvePtr: unanswered('Ptr'),
  resolveSrv: unanswered('Srv'),
  resolveTxt: unanswered('Txt'),
  reverse: unanswered('Ptr'),
  setDefaultResultOrder() {},
  setServers() {},
};
dns.resolve = (name, ...rest) => {
  const kind = typeof rest[0] === 'string' ? rest[0] : 'A';
  const method = { A: 'resolve4', AAAA: 'resolve6' }[kind] ?? `resolve${kind[0]}${kind.slice(1).toLowerCase()}`;
  return dns[method](name, ...rest);
};

dns.promises = { setServers() {}, getServers: dns.getServers, setDefaultResultOrder() {} };
for (const name of Object.keys(dns).filter((key) => /^(?:resolve|reverse)/u.test(key))) {
  dns.promises[name] = (...args) => new Promise((resolve, reject) => {
    dns[name](...args, (error, value) => (error ? reject(error) : resolve(value)));
  });
}
dns.promises.lookup = (name, options) => new Promise((resolve, reject) => {
  lookup(name, options ?? {}, (error, address, family) => {
    if (error) reject(error);
    else resolve(Array.isArray(address) ? address : { address, family });
  });
});
dns.Resolver = class Resolver {
  constructor() {
    Object.assign(this, dns);
  }

  cancel() {}
};
dns.promises.Resolver = class Resolver {
  constructor() {
    Object.assign(this, dns.promises);
  }

  cancel() {}
};

module.exports = dns;
