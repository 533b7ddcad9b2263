// What the embedded runtime alone does: versions in names, native stand-ins, refusals. The line
// `//= JSON` after the name is the result.

//# versions
//= ["function", "undefined", "function", "function", "function", "function", "object"]
function login(email, password, callback) {
  callback(null, [typeof require('pg@6.4').connect, typeof require('pg').connect, typeof require('pg@7').Pool, typeof require('uuid@3.0.1'),
    typeof require('async@2.1.2').waterfall, typeof require('mongodb@3.1.4').MongoClient.connect, typeof require('mysql@2.x').Types]);
}
//# paths_in_packages
//= [1, true, "function", "function", true]
function login(email, password, callback) {
  const v4 = require('uuid@3/v4');
  callback(null, [require('lodash/get')({ a: 1 }, 'a'), v4().length === 36, typeof require('mysql2/promise').createConnection,
    typeof require('async/series'), require('pg/package.json').version.startsWith('8.')]);
}
//# the_same_object
//= [true, true, true]
function login(email, password, callback) {
  callback(null, [require('pg') === require('pg@8'), require('fs') === require('node:fs'), require('bcrypt') === require('bcryptjs')]);
}
//# not_found
//= [["Cannot find module 'nosuch'", "MODULE_NOT_FOUND"], ["Cannot find module 'internal/buffer'", "MODULE_NOT_FOUND"], ["Cannot find module 'lodash/nosuch'", "MODULE_NOT_FOUND"], ["require takes packages, not files: ./x", null], ["require takes packages, not files: /etc/passwd", null], ["require takes packages, not files: ..", null], ["require takes the name of a package", null], ["No such built-in module: node:nosuch", "ERR_UNKNOWN_BUILTIN_MODULE"]]
function login(email, password, callback) {
  callback(null, ['nosuch', 'internal/buffer', 'lodash/nosuch', './x', '/etc/passwd', '..', 5, 'node:nosuch'].map((name) => {
    try {
      return typeof require(name);
    } catch ({ message, code }) {
      return [message, code ?? null];
    }
  }));
}
//# no_files
//= ["EACCES: permission denied, open '/etc/passwd'", "EACCES", -13, "open", "/etc/passwd", false, "EACCES", "EACCES", "EACCES"]
async function login(email, password, callback) {
  const fs = require('fs');
  let seen;
  try {
    fs.readFileSync('/etc/passwd');
  } catch ({ message, code, errno, syscall, path }) {
    seen = [message, code, errno, syscall, path];
  }
  seen.push(fs.existsSync('/etc/passwd'));
  await fs.promises.readFile('/etc/passwd').catch(({ code }) => seen.push(code));
  fs.writeFile('/tmp/x', 'y', ({ code }) => {
    seen.push(code);
    fs.createReadStream('/etc/passwd').on('error', (error) => callback(null, [...seen, error.code]));
  });
}
//# no_ways_out
//= ["child_process.execSync is not available to action scripts", "vm.Script is not available to action scripts", "worker_threads.Worker is not available to action scripts", "module.createRequire is not available to action scripts", "net.Server is not available to action scripts", "http.createServer is not available to action scripts", "process.exit is not available to action scripts", "a socket on a descriptor is not available to action scripts", "process.binding is not available to action scripts"]
function login(email, password, callback) {
  const attempts = [() => require('child_process').execSync('id'), () => new (require('vm').Script)('1'), () => new (require('worker_threads').Worker)('x'),
    () => require('module').createRequire('/'), () => require('net').createServer(), () => require('http').createServer(), () => process.exit(0),
    () => new (require('net').Socket)({ fd: 3 }), () => process.binding('fs')];
  callback(null, attempts.map((attempt) => {
    try {
      return typeof attempt();
    } catch (error) {
      return error.message;
    }
  }));
}
//# nothing_hidden_in_globals
//= ["undefined", "undefined", "undefined", []]
function login(email, password, callback) {
  callback(null, [typeof native, typeof primordials, typeof module === 'object' ? typeof module.native : 'undefined',
    Object.getOwnPropertyNames(globalThis).filter((name) => /^_|native|primordial/u.test(name))]);
}
//# no_local_sockets
//= ["EACCES", "connect"]
function login(email, password, callback) {
  require('net').connect('/var/run/postgresql/.s.PGSQL.5432').on('error', ({ code, syscall }) => callback(null, [code, syscall]));
}
//# sockets_before_pg_8
//= ["closed", "opening"]
function login(email, password, callback) {
  const socket = new (require('net').Socket)();
  const before = socket.readyState;
  socket.on('error', () => {});
  socket.connect(9, '127.0.0.1');
  callback(null, [before, socket.readyState]);
}
//# mongodb_callbacks
//= ["MongoServerSelectionError", "MongoServerSelectionError"]
function login(email, password, callback) {
  const url = 'mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=100';
  require('mongodb@3.1').MongoClient.connect(url, { useUnifiedTopology: true, serverSelectionTimeoutMS: 100 }, (error) =>
    require('mongodb@4').MongoClient.connect(url, (error2) => callback(null, [error.name, error2.name])));
}
