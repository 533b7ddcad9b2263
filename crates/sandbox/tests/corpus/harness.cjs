// Runs corpus cases under plain Node, for comparison: one JSON request on standard input, one line
// of JSON per case on standard output. The scripts are evaluated by the Node runtime's own code.
//
//   {"packages": "FOLDER with node_modules", "configuration": {…}, "args": […], "cases": [{"name", "source"}]}
//   -> {"name", "value"} or {"name", "error": {"name", "code", "message"}}

'use strict';

const { evaluate } = require('../../../../runtimes/node/evaluate.cjs');
const { requireFrom } = require('../../../../runtimes/node/modules.cjs');

class WrongUsernameOrPasswordError extends Error {
  constructor(user, message) {
    super(message);
    this.name = 'WrongUsernameOrPasswordError';
  }
}
class ValidationError extends Error {
  constructor(code, message) {
    super(message);
    this.name = 'ValidationError';
    this.code = code;
  }
}
class UnauthorizedError extends Error {
  constructor(message) {
    super(message);
    this.name = 'UnauthorizedError';
  }
}

const write = process.stdout.write.bind(process.stdout);
const leave = process.exit.bind(process);
const text = (value) => (value === undefined ? undefined : String(value));
let settle = () => {};

/** One case: settled by the first of callback, exception, rejection. */
function run({ name, source }, scope, { configuration, args }) {
  return new Promise((resolve) => {
    settle = (failed, value) => resolve(failed
      ? { name, error: { name: text(value?.name), code: text(value?.code), message: text(value?.message ?? value) } }
      : { name, value: value ?? null });
    const callback = (error, value) => settle(error !== undefined && error !== null, error ?? value);
    // A turn of its own, as a call from the host has: the order of ticks and promises depends on it.
    setImmediate(() => {
      try {
        const { entry } = evaluate('login', source, JSON.stringify(configuration), scope);
        Promise.resolve(entry(...args, callback)).catch((reason) => settle(true, reason));
      } catch (reason) {
        settle(true, reason);
      }
    });
  });
}

async function main() {
  let json = '';
  for await (const chunk of process.stdin) json += chunk;
  const request = JSON.parse(json);
  const plain = requireFrom(request.packages, () => {}, new Map());
  // Older majors are installed beside the current ones: `mongodb@3.1.4` is in the folder `mongodb-3`.
  const byMajor = (name) => plain(name.replace(/^(mongodb|tedious)@([134])\b.*$/, '$1-$2'));
  const scope = { require: byMajor, WrongUsernameOrPasswordError, ValidationError, UnauthorizedError };
  process.env = {};
  // What scripts print is not compared here, and standard output is ours.
  for (const name of Object.keys(console)) console[name] = () => {};
  process.on('uncaughtException', (reason) => settle(true, reason));
  for (const one of request.cases) write(`${JSON.stringify(await run(one, scope, request))}\n`);
  // Pools that a case left open do not keep us.
  write('', () => leave(0));
}

main();
