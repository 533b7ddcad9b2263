// Bundles the npm packages that action scripts find in the embedded runtime.
//
//   node runtimes/packages/build.mjs [FOLDER]      FOLDER: .local/packages unless given
//
// Writes one CommonJS file per package, `NAME@VERSION.js`; `packages.json`, the list of them; and
// `LICENSES.txt`, the licences of everything that went into them. Node's own modules stay outside:
// the embedded runtime has its own. Same lock file, same bytes.
//
// A bundle exports a table: path inside the package ('' is the package itself) -> function that
// evaluates that path and gives its exports. Bundles below `internal/` are polyfills that the
// runtime's own modules are built on; scripts cannot require them.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { builtinModules, createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const HERE = dirname(fileURLToPath(import.meta.url));
const FOLDER = resolve(process.argv[2] ?? join(HERE, '../../.local/packages'));
const from = createRequire(join(HERE, 'package.json'));

/**
 * What scripts may require: folder in node_modules; `paths` besides the package itself; packages
 * `outside`, taken from another bundle when they are needed.
 */
const PACKAGES = [
  { folder: 'async' },
  { folder: 'async-2' },
  { folder: 'axios' },
  { folder: 'bluebird' },
  { folder: 'jsonwebtoken' },
  { folder: 'knex', outside: ['pg', 'mysql', 'mysql2', 'tedious'] },
  { folder: 'ldapjs' },
  { folder: 'ldapts' },
  { folder: 'lodash' },
  { folder: 'moment' },
  { folder: 'mongodb' },
  { folder: 'mongodb-3' },
  { folder: 'mongodb-4' },
  { folder: 'mssql', outside: ['tedious'] },
  { folder: 'mysql' },
  { folder: 'mysql2', paths: ['promise'] },
  { folder: 'node-fetch' },
  { folder: 'pg' },
  { folder: 'pg-6' },
  { folder: 'q' },
  { folder: 'qs' },
  { folder: 'request' },
  { folder: 'tedious' },
  { folder: 'tedious-1' },
  { folder: 'uuid' },
  { folder: 'uuid-3', paths: ['v1', 'v3', 'v4', 'v5'] },
  { folder: 'xml2js' },
];

/** What runtimes/embedded is built on. A slash at the end keeps Node's own module out. */
const INTERNAL = ['assert/', 'buffer/', 'events/', 'node-inspect-extracted', 'punycode/',
  'readable-stream', 'string_decoder/', 'url/'];

/** Polyfills meet each other through the runtime's modules: there is one Buffer class. */
const SHARED = ['abort-controller', 'buffer', 'events', 'process', 'punycode', 'qs', 'string_decoder',
  'util']
  .flatMap((name) => [name, `${name}/`]);

/** Never present: optional addons and drivers. */
const ABSENT = new Set(['pg-native', 'pg-query-stream', 'oracledb', 'sqlite3', 'better-sqlite3',
  'mariadb', 'mariadb/callback', 'cardinal', 'kerberos', 'snappy', 'saslprep',
  'mongodb-client-encryption', '@mongodb-js/zstd', '@aws-sdk/credential-providers',
  'gcp-metadata', 'bson-ext', 'msnodesqlv8', 'encoding', 'dtrace-provider', 'mv',
  'source-map-support', 'libpq', 'bufferutil', 'utf-8-validate', '@aws-sdk/client-sts']);

/** Imported at once and used for signing in to a cloud only: what they export fails when called. */
const HOLLOW = new Set(['@azure/identity', '@azure/keyvault-keys', '@azure/core-auth', 'adal-node']);

/** The folder of the package that a file belongs to, below `node_modules`. */
function owner(file) {
  const parts = file.split('/');
  const at = parts.lastIndexOf('node_modules');
  const length = parts[at + 1].startsWith('@') ? 3 : 2;
  return parts.slice(0, at + length).join('/');
}

/** Looks for optional packages around a file: inside a bundle there is nothing around. */
const LOOKUP = 'optional-require';

/** Resolves the absent to a module that fails when it is required, as if it were not installed. */
const absent = {
  name: 'absent',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^[^./]/ }, ({ path }) =>
      (ABSENT.has(path) ? { path, namespace: 'absent' } : undefined));
    onResolve({ filter: /^[^./]/ }, ({ path }) =>
      (HOLLOW.has(path) ? { path, namespace: 'hollow' } : undefined));
    onResolve({ filter: new RegExp(`^${LOOKUP}$`) }, ({ path }) => ({ path, namespace: 'lookup' }));
    onLoad({ filter: /.*/, namespace: 'lookup' }, () =>
      ({ contents: 'module.exports = () => () => undefined;' }));
    onLoad({ filter: /.*/, namespace: 'hollow' }, ({ path }) => ({
      contents: 'module.exports = new Proxy({}, { get: () => class { constructor() {' +
        `throw new Error("${path} is not available to action scripts"); } } });`,
    }));
    onLoad({ filter: /.*/, namespace: 'absent' }, ({ path }) => ({
      contents: `const error = new Error("Cannot find module '${path}'");` +
        "error.code = 'MODULE_NOT_FOUND'; throw error;",
    }));
  },
};

/** One bundle's text, and the folders of the packages inside it. */
async function bundle(folder, paths, external) {
  const name = folder.replace(/\/$/u, '');
  const table = ['', ...paths].map((path) =>
    `${JSON.stringify(path)}: () => require(${JSON.stringify(path ? `${name}/${path}` : folder)})`);
  const result = await build({
    stdin: { contents: `module.exports = { ${table.join(', ')} };`, resolveDir: HERE },
    absWorkingDir: HERE,
    bundle: true,
    format: 'cjs',
    platform: 'node',
    mainFields: ['main', 'module'],
    conditions: ['require', 'node'],
    target: 'es2022',
    charset: 'utf8',
    legalComments: 'none',
    minifySyntax: true,
    minifyWhitespace: true,
    external,
    logLevel: 'error',
    metafile: true,
    write: false,
    plugins: [absent],
  });
  const inside = Object.keys(result.metafile.inputs).filter((file) => file.includes('node_modules/'));
  return { text: result.outputFiles[0].text, inside: new Set(inside.map(owner)) };
}

/** What a bundle leaves to `require`. */
function external(folder, outside, isInternal) {
  const others = isInternal ? SHARED : [...builtinModules, ...outside];
  const own = folder.replace(/\/$/u, '');
  return others.filter((name) => name.replace(/\/$/u, '') !== own);
}

/** The text of a package's licence: its file, or the word in its package.json. */
function licence(folder) {
  const { name, version, license, licenses, author } =
    JSON.parse(readFileSync(join(HERE, folder, 'package.json'), 'utf8'));
  const kind = license?.type ?? license ?? licenses?.map(({ type }) => type).join(' or ') ?? 'unknown';
  let text = `(no licence file; author: ${author?.name ?? author ?? 'see the package'})`;
  for (const file of ['LICENSE', 'LICENSE.md', 'LICENSE.txt', 'License', 'license', 'LICENCE',
    'license.md', 'License.md', 'LICENSE-MIT.txt', 'LICENSE-MIT', 'COPYING', 'LICENSE.BSD']) {
    try {
      text = readFileSync(join(HERE, folder, file), 'utf8').replaceAll('\r\n', '\n').trim();
      break;
    } catch {
      // Another spelling.
    }
  }
  return { name, version, kind, text };
}

function licences(folders) {
  const all = [...folders].map(licence)
    .sort((a, b) => (`${a.name}@${a.version}` < `${b.name}@${b.version}` ? -1 : 1));
  const seen = new Set();
  return all.filter(({ name, version }) => !seen.has(`${name}@${version}`) && seen.add(`${name}@${version}`))
    .map(({ name, version, kind, text }) => `${'='.repeat(80)}\n${name}@${version} (${kind})\n\n${text}\n`)
    .join('\n');
}

async function main() {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(join(FOLDER, 'internal'), { recursive: true });
  const index = [];
  const folders = new Set();
  const put = async (folder, paths, outside, isInternal) => {
    const bare = folder.replace(/\/$/u, '');
    const { name, version } = from(join(HERE, 'node_modules', bare, 'package.json'));
    const { text, inside } = await bundle(folder, paths, external(folder, outside, isInternal));
    const file = `${isInternal ? 'internal/' : ''}${name.replace('/', '__')}@${version}.js`;
    writeFileSync(join(FOLDER, file), text);
    index.push({ name: isInternal ? `internal/${name}` : name, version, file });
    for (const one of inside) folders.add(one);
  };
  for (const { folder, paths = [], outside = [] } of PACKAGES) await put(folder, paths, outside, false);
  for (const folder of INTERNAL) await put(folder, [], [], true);
  writeFileSync(join(FOLDER, 'LICENSES.txt'), licences(folders));
  // Last: a folder with an index is complete.
  writeFileSync(join(FOLDER, 'packages.json'), `${JSON.stringify(index, undefined, 1)}\n`);
  console.error(`${index.length} bundles in ${relative(process.cwd(), FOLDER)}`);
}

await main();
