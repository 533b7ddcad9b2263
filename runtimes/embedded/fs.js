// `fs`: there are no files. Every operation answers EACCES, in the manner it was asked.

'use strict';

const { system } = require('errors');

const OPERATIONS = ['access', 'appendFile', 'chmod', 'chown', 'copyFile', 'cp', 'fstat', 'ftruncate', 'link', 'lstat',
  'mkdir', 'mkdtemp', 'open', 'opendir', 'readFile', 'readdir', 'readlink', 'realpath', 'rename', 'rm', 'rmdir', 'stat',
  'symlink', 'truncate', 'unlink', 'utimes', 'writeFile'];
const DESCRIPTORS = ['close', 'fsync', 'read', 'write', 'writev', 'readv'];
/** The system call that Node names for an operation. */
const CALLS = { readFile: 'open', writeFile: 'open', appendFile: 'open', readdir: 'scandir' };

function denial(name, path) {
  const syscall = CALLS[name] ?? name;
  const where = typeof path === 'string' ? ` '${path}'` : '';
  const error = system({ code: 'EACCES', syscall, message: `EACCES: permission denied, ${syscall}${where}` });
  if (typeof path === 'string') error.path = path;
  return error;
}

const fs = { promises: {} };

for (const name of [...OPERATIONS, ...DESCRIPTORS]) {
  fs[name] = (path, ...rest) => {
    const callback = rest.at(-1);
    if (typeof callback !== 'function') {
      throw require('errors').invalidArgument('cb', 'of type function', callback);
    }
    require('timers').nextTick(callback, denial(name, path));
  };
  fs[`${name}Sync`] = (path) => {
    throw denial(name, path);
  };
  fs.promises[name] = (path) => Promise.reject(denial(name, path));
}

/** A stream that fails as one on a forbidden file does. */
function stream(Base, path) {
  const made = new Base({ read() {}, write: (chunk, encoding, done) => done() });
  made.path = path;
  require('timers').nextTick(() => made.destroy(denial('open', path)));
  return made;
}

class Stats {}
class ReadStream {}
class WriteStream {}

module.exports = Object.assign(fs, {
  Stats,
  ReadStream,
  WriteStream,
  constants: { F_OK: 0, R_OK: 4, W_OK: 2, X_OK: 1, O_RDONLY: 0, O_WRONLY: 1, O_RDWR: 2, O_CREAT: 64, O_EXCL: 128,
    O_TRUNC: 512, O_APPEND: 1024, COPYFILE_EXCL: 1 },
  createReadStream: (path) => stream(require('stream').Readable, path),
  createWriteStream: (path) => stream(require('stream').Writable, path),
  exists: (path, callback) => require('timers').nextTick(callback, false),
  existsSync: () => false,
  statSync: (path, options) => {
    if (options?.throwIfNoEntry === false) return undefined;
    throw denial('stat', path);
  },
  watch: (path) => {
    throw denial('watch', path);
  },
  watchFile() {},
  unwatchFile() {},
});
fs.realpath.native = fs.realpath;
fs.realpathSync.native = fs.realpathSync;
