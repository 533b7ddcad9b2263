// `require` as action scripts see it: Node's own modules, and the packages of the operator's folder.
//
// A version in the name (`require('pg@8.1')`) is understood and not obeyed: the folder holds one
// version of each package, and the log says which. Files are refused; packages only.

'use strict';

const { createRequire, isBuiltin } = require('node:module');
const { join } = require('node:path');

const VERSIONED = /^((?:@[^/@]+\/)?[^/@]+)@[^/]+(\/.*)?$/u;
const FILE = /^\.{0,2}(?:\/|$)/u;

/**
 * `folder` holds node_modules and may be undefined; `log(level, args)` takes a console line; `own`
 * maps the names of Ferry's own modules to them.
 */
function requireFrom(folder, log, own = new Map()) {
  const fromFolder = folder ? createRequire(join(folder, 'scripts.cjs')) : undefined;
  const announced = new Set();

  const isInstalled = (name) => {
    try {
      fromFolder.resolve(name);
      return true;
    } catch {
      return false;
    }
  };

  /** Says once per worker which package stands in for the one asked for. */
  const announce = (asked, name) => {
    if (announced.has(asked)) return;
    announced.add(asked);
    let version = '';
    try {
      version = ` ${fromFolder(`${name}/package.json`).version}`;
    } catch {
      // Packages may hide their package.json.
    }
    log('info', [`require('${asked}') gives ${name}${version} of the modules folder`]);
  };

  return function require(asked) {
    if (typeof asked !== 'string') throw new TypeError('require takes the name of a package');
    if (FILE.test(asked)) throw new Error(`require takes packages, not files: ${asked}`);
    if (own.has(asked)) return own.get(asked);
    const [, name = asked, path = ''] = VERSIONED.exec(asked) ?? [];
    if (isBuiltin(name)) return module.require(name);
    if (!fromFolder) {
      throw new Error(`Cannot find module '${asked}': no modules folder is configured`);
    }
    // The same hashes without a native addon.
    const isAbsent = name === 'bcrypt' && !isInstalled('bcrypt') && isInstalled('bcryptjs');
    const given = isAbsent ? 'bcryptjs' : name;
    const result = fromFolder(given + path);
    if (given !== asked) announce(asked, given);
    return result;
  };
}

module.exports = { requireFrom };
