// `path`: the POSIX flavour.

'use strict';

const { invalidArgument } = require('errors');

function check(value, name = 'path') {
  if (typeof value !== 'string') throw invalidArgument(name, 'of type string', value);
}

/** Resolves `.` and `..`; leading `..` stay when `keep` says so. */
function squeeze(path, keep) {
  const parts = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (keep) parts.push('..');
  }
  return parts.join('/');
}

function normalize(path) {
  check(path);
  if (path === '') return '.';
  const isAbsolute = path.startsWith('/');
  let short = squeeze(path, !isAbsolute);
  if (short === '' && !isAbsolute) short = '.';
  if (short !== '' && path.endsWith('/')) short += '/';
  return isAbsolute ? `/${short}` : short;
}

function join(...parts) {
  for (const part of parts) check(part);
  const joined = parts.filter((part) => part !== '').join('/');
  return joined === '' ? '.' : normalize(joined);
}

function resolve(...parts) {
  let path = '';
  for (let index = parts.length - 1; index >= 0 && !path.startsWith('/'); index -= 1) {
    check(parts[index], `paths[${index}]`);
    if (parts[index] !== '') path = path === '' ? parts[index] : `${parts[index]}/${path}`;
  }
  // The working directory of a worker is the root.
  return `/${squeeze(path, false)}`;
}

function relative(from, to) {
  check(from, 'from');
  check(to, 'to');
  const start = resolve(from).split('/').filter(Boolean);
  const end = resolve(to).split('/').filter(Boolean);
  let same = 0;
  while (same < start.length && start[same] === end[same]) same += 1;
  return [...start.slice(same).map(() => '..'), ...end.slice(same)].join('/');
}

function dirname(path) {
  check(path);
  if (path === '') return '.';
  const bare = path.replace(/\/+$/u, '');
  if (bare === '') return '/';
  const at = bare.lastIndexOf('/');
  if (at < 0) return '.';
  return bare.slice(0, at).replace(/\/+$/u, '') || '/';
}

function basename(path, suffix) {
  check(path);
  const last = path.replace(/\/+$/u, '').split('/').at(-1);
  return suffix !== undefined && last !== suffix && last.endsWith(suffix) ? last.slice(0, -suffix.length) : last;
}

function extname(path) {
  const last = basename(path);
  const at = last.lastIndexOf('.');
  return at <= 0 || last === '..' ? '' : last.slice(at);
}

function parse(path) {
  check(path);
  const root = path.startsWith('/') ? '/' : '';
  const base = basename(path);
  const ext = extname(path);
  const dir = path === base ? '' : dirname(path);
  return { root, dir: dir === '.' && !path.startsWith('.') ? '' : dir, base, ext, name: base.slice(0, base.length - ext.length) };
}

function format({ root = '', dir, base, name = '', ext = '' }) {
  const last = base ?? name + (ext && !ext.startsWith('.') ? `.${ext}` : ext);
  const folder = dir ?? root;
  if (!folder) return last;
  return folder === root ? folder + last : `${folder}/${last}`;
}

const posix = {
  basename,
  delimiter: ':',
  dirname,
  extname,
  format,
  isAbsolute: (path) => {
    check(path);
    return path.startsWith('/');
  },
  join,
  normalize,
  parse,
  relative,
  resolve,
  sep: '/',
  toNamespacedPath: (path) => path,
};
posix.posix = posix;
posix.win32 = posix;

module.exports = posix;
