// From the text of an action script to the function that it defines.
//
// A script is one function, named or not, with helpers around it; names are free. It is evaluated
// once per worker, in a function scope of its own: what it declares is its own, what it keeps in
// `global` is shared by all scripts of the worker. `configuration` is a live variable of that scope,
// renewed for every call, so that no call sees what another did to it.

'use strict';

const { compileFunction } = require('node:vm');

const { parse } = JSON;
const { isArray } = Array;
const { apply } = Reflect;

/** The names that templates and documents give each script's function. */
const CUSTOMARY = {
  __proto__: null,
  login: ['login'],
  get_user: ['getUser', 'getByEmail', 'loginByEmail', 'get_user'],
  create: ['create', 'createUser'],
  verify: ['verify', 'verifyEmail'],
  change_password: ['changePassword', 'change_password'],
  change_email: ['changeEmail', 'change_email'],
  delete: ['deleteUser', 'remove', 'removeUser'],
  change_username: ['changeUsername', 'change_username'],
  change_phone_number: ['changePhoneNumber', 'change_phone_number'],
};

const NAME = '([\\p{ID_Start}$_][\\p{ID_Continue}$]*)';
const DECLARED = new RegExp(`\\bfunction\\s*\\*?\\s*${NAME}\\s*\\(`, 'gu');
const ASSIGNED = new RegExp(
  `\\b(?:const|let|var)\\s+${NAME}\\s*=\\s*(?:async\\b\\s*)?(?:function\\b|\\(|${NAME}\\s*=>)`, 'gu');

/** Names that may be functions, least likely first. Nested ones and comments drop out later. */
function candidates(source) {
  const names = [];
  for (const pattern of [ASSIGNED, DECLARED]) {
    for (const match of source.matchAll(pattern)) {
      try {
        compileFunction(`'use strict'; typeof ${match[1]}`);
        names.push(match[1]);
      } catch {
        // A reserved word, out of a comment or a string.
      }
    }
  }
  return names;
}

/**
 * Compiles a body inside a scope; gives a function that runs it with the settings' JSON.
 * `scope` holds the names that the script may use besides Node's globals.
 */
function compile(script, scope, head, source, tail) {
  const names = ['module', 'exports', ...Object.keys(scope)];
  // The last argument has no name: it hands out the setter of `configuration`, to us alone.
  const prefix = 'let configuration; ' +
    `arguments[${names.length}]((fresh) => { configuration = fresh; });${head}`;
  const options = { filename: `${script}.js`, columnOffset: -prefix.length };
  const run = compileFunction(prefix + source + tail, names, options);
  return (json) => {
    let renew;
    const module = { exports: {} };
    const take = (set) => {
      renew = set;
      set(parse(json));
    };
    const found = apply(run, undefined, [module, module.exports, ...Object.values(scope), take]);
    return { found, exported: module.exports, refresh: () => renew(parse(json)) };
  };
}

/** The function of a script: exported, of customary name, or the last one at its top level. */
function choose(script, names, { found, exported }) {
  if (typeof found === 'function') return found;
  if (typeof exported === 'function') return exported;
  if (!isArray(found)) return undefined;
  const own = (index) => typeof found[index] === 'function' &&
    found[index] !== globalThis[names[index]];
  for (const customary of CUSTOMARY[script] ?? []) {
    const index = names.indexOf(customary);
    if (index >= 0 && own(index)) return found[index];
  }
  for (let index = names.length - 1; index >= 0; index -= 1) if (own(index)) return found[index];
  return undefined;
}

/** The source as one expression: `function (email, callback) { … }` is no statement. */
function expression(script, source, json, scope) {
  const bare = source.replace(/[;\s]+$/u, '');
  const { found, refresh } = compile(script, scope, 'return (', bare, '\n);')(json);
  return { entry: typeof found === 'function' ? found : undefined, refresh };
}

/** Evaluates a script: `{ entry, refresh }`, its function and what renews `configuration`. */
function evaluate(script, source, json, scope) {
  const names = candidates(source);
  const probes = names.map((name) => `typeof ${name}==='function'?${name}:undefined`);
  let program;
  let isAnonymous = false;
  try {
    const tail = `\n;return [${probes}];}).call(this);`;
    const result = compile(script, scope, 'return (function(){', source, tail)(json);
    program = { entry: choose(script, names, result), refresh: result.refresh };
  } catch (reason) {
    isAnonymous = /(?:require a|expected) function name|function name expected/u.test(reason?.message);
    if (!isAnonymous) throw reason;
  }
  if (program?.entry) return program;
  try {
    program = expression(script, source, json, scope);
  } catch (reason) {
    if (isAnonymous) throw reason;
  }
  if (!program?.entry) throw new Error('the script defines no function');
  return program;
}

module.exports = { evaluate };
