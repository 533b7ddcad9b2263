// Scripts that try to get out, one per `//# name` line. Each is called as `login` with an e-mail
// address, a password and a callback. One that gets through calls back a profile whose `escaped`
// says what it got hold of; tests/it/contain.rs knows what each must meet instead.

//# memory_bomb
function login(email, password, callback) {
  const kept = [];
  for (;;) kept.push(new Array(100000).fill(Math.random()));
}

//# memory_bomb_buffer
function login(email, password, callback) {
  const kept = [];
  for (let round = 0; round < 400; round += 1) kept.push(Buffer.alloc(10 << 20, 1));
  callback(null, { user_id: 1, escaped: `${kept.length} buffers of 10 MiB` });
}

//# thread_bomb
function login(email, password, callback) {
  const { Worker } = require('worker_threads');
  const inner = 'const kept = []; for (;;) kept.push(Buffer.alloc(8 << 20, 1));';
  for (let round = 0; round < 8; round += 1) {
    new Worker(inner, { eval: true }).on('error', callback);
  }
}

//# infinite_loop
function login() {
  for (;;);
}

//# infinite_microtask
function login() {
  const again = () => Promise.resolve().then(again);
  again();
}

//# regex_redos
function login(email, password, callback) {
  /^(a+)+$/.test(`${'a'.repeat(40)}b`);
  callback(null, { user_id: 1, escaped: 'the regular expression ended' });
}

//# read_users
function login(email, password, callback) {
  callback(null, { user_id: 1, escaped: require('fs').readFileSync('/etc/passwd', 'utf8') });
}

//# read_secrets
function login(email, password, callback) {
  callback(null, { user_id: 1, escaped: require('fs').readFileSync('/etc/shadow', 'utf8') });
}

//# list_home
function login(email, password, callback) {
  callback(null, { user_id: 1, escaped: require('fs').readdirSync('/root') });
}

//# list_processes
function login(email, password, callback) {
  callback(null, { user_id: 1, escaped: require('fs').readdirSync('/proc') });
}

//# read_environment
function login(email, password, callback) {
  callback(null, { user_id: 1, escaped: require('fs').readFileSync('/proc/self/environ', 'utf8') });
}

//# read_parent_environment
function login(email, password, callback) {
  const path = `/proc/${process.ppid}/environ`;
  callback(null, { user_id: 1, escaped: require('fs').readFileSync(path, 'utf8') });
}

//# write_tmp
function login(email, password, callback) {
  require('fs').writeFileSync('/tmp/ferry-contain-pwned.txt', 'x');
  callback(null, { user_id: 1, escaped: 'a file in /tmp' });
}

//# write_here
function login(email, password, callback) {
  require('fs').writeFileSync('pwned.txt', 'x');
  callback(null, { user_id: 1, escaped: 'a file in the working folder' });
}

//# link_here
function login(email, password, callback) {
  require('fs').symlinkSync('/etc/passwd', '/tmp/ferry-contain-link');
  callback(null, { user_id: 1, escaped: 'a link in /tmp' });
}

//# spawn
function login(email, password, callback) {
  const text = require('child_process').execSync('id').toString();
  callback(null, { user_id: 1, escaped: text });
}

//# spawn_around_require
function login(email, password, callback) {
  const spawn = require('module').createRequire('/')('child_process').spawnSync;
  const { error, stdout } = spawn(process.execPath, ['--version']);
  if (error) return callback(error);
  callback(null, { user_id: 1, escaped: String(stdout) });
}

//# spawn_by_binding
function login(email, password, callback) {
  const { Process } = process.binding('process_wrap');
  const code = new Process().spawn({ file: '/bin/sh', args: ['sh', '-c', ':'], stdio: [] });
  if (code < 0) return callback(new Error(require('util').getSystemErrorName(code)));
  callback(null, { user_id: 1, escaped: 'a process' });
}

//# fork_by_cluster
function login(email, password, callback) {
  const cluster = require('cluster');
  cluster.setupPrimary({ exec: '/dev/null', silent: true });
  const child = cluster.fork();
  child.on('error', callback);
  child.on('online', () => callback(null, { user_id: 1, escaped: 'a process' }));
}

//# signal_parent
function login(email, password, callback) {
  // What the runner took away is there again in a thread; signal 0 only asks whether one may.
  const { Worker } = require('worker_threads');
  new Worker('process.kill(process.ppid, 0)', { eval: true }).on('error', callback)
    .on('exit', () => callback(null, { user_id: 1, escaped: 'a signal to the server' }));
}

//# signal_everybody
function login(email, password, callback) {
  const { Worker } = require('worker_threads');
  new Worker('process.kill(-1, 0)', { eval: true }).on('error', callback)
    .on('exit', () => callback(null, { user_id: 1, escaped: 'a signal to everybody' }));
}

//# listen
function login(email, password, callback) {
  require('net').createServer().on('error', callback).listen(0, '127.0.0.1', () => {
    callback(null, { user_id: 1, escaped: 'a listening socket' });
  });
}

//# local_socket
function login(email, password, callback) {
  require('net').connect('/var/run/docker.sock').on('error', callback).on('connect', () => {
    callback(null, { user_id: 1, escaped: 'a local service' });
  });
}

//# forge_frame
function login(email, password, callback) {
  const body = Buffer.from('{"t":"result","id":"1","how":"callback","value":{"user_id":2}}');
  const head = Buffer.alloc(4);
  head.writeUInt32BE(body.length);
  require('fs').writeSync(3, Buffer.concat([head, body]));
  callback(null, { user_id: 1, escaped: 'forged unseen' });
}

//# metadata_service
function login(email, password, callback) {
  const socket = require('net').connect(80, '169.254.169.254');
  socket.setTimeout(1000, () => socket.destroy(new Error('nobody answered')));
  socket.on('error', callback).on('connect', () => {
    callback(null, { user_id: 1, escaped: 'the metadata service of a cloud' });
  });
}

//# own_database
function login(email, password, callback) {
  require('net').connect(configuration.PORT, '127.0.0.1').on('error', callback).on('connect', () => {
    callback(null, { user_id: 1, escaped: 'the database of the server' });
  });
}

//# own_database_by_name
function login(email, password, callback) {
  const place = { port: configuration.PORT, host: 'localhost', family: 4 };
  require('net').connect(place).on('error', callback).on('connect', () => {
    callback(null, { user_id: 1, escaped: 'the database of the server' });
  });
}
