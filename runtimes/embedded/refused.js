// Node's modules that action scripts do not get: other processes and threads, code loaders,
// datagrams. Packages may import them; calling one of their functions says so.

'use strict';

const { refused } = require('errors');

/** Members that packages read while they load. */
const MEMBERS = {
  child_process: { functions: ['exec', 'execFile', 'execFileSync', 'execSync', 'fork', 'spawn', 'spawnSync'] },
  cluster: { functions: ['fork', 'setupPrimary'], values: { isMaster: true, isPrimary: true, isWorker: false, workers: {} } },
  dgram: { functions: ['createSocket'] },
  domain: { functions: ['create', 'createDomain'], values: { active: null } },
  inspector: { functions: ['open', 'close', 'url'] },
  module: { functions: ['createRequire'], values: { builtinModules: [] } },
  repl: { functions: ['start'] },
  trace_events: { functions: ['createTracing'] },
  v8: { functions: ['getHeapStatistics', 'setFlagsFromString', 'serialize', 'deserialize'] },
  vm: { functions: ['createContext', 'runInContext', 'runInNewContext', 'runInThisContext', 'compileFunction'] },
  worker_threads: { values: { isMainThread: true, parentPort: null, workerData: null, threadId: 0 } },
};
const CLASSES = { __proto__: null, vm: ['Script'], worker_threads: ['Worker', 'MessageChannel'], dgram: ['Socket'] };

function moduleOf(name) {
  const { functions = [], values = {} } = MEMBERS[name];
  const made = { ...values };
  for (const member of functions) {
    made[member] = () => {
      throw refused(`${name}.${member}`);
    };
  }
  for (const member of CLASSES[name] ?? []) {
    made[member] = class {
      constructor() {
        throw refused(`${name}.${member}`);
      }
    };
  }
  return made;
}

module.exports = { moduleOf };
