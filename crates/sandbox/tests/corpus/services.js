// Scripts that reach a service. `needs WORD`: postgres, mysql, http, ldap, or nothing but a closed
// port. Every result must be the same on every runtime.

//# pg_promise needs postgres
async function login(email, password, callback) {
  const { Client } = require('pg');
  const client = new Client(configuration.PG);
  await client.connect();
  const { rows, rowCount, fields } = await client.query('select $1::text as email, $2::int as n', [email, 42]);
  await client.end();
  callback(null, [rows, rowCount, fields.map(({ name, dataTypeID }) => [name, dataTypeID])]);
}
//# pg_types needs postgres
function login(email, password, callback) {
  const { Client } = require('pg');
  const client = new Client(configuration.PG);
  client.connect((error) => client.query(`select 1::int8 i8, 1.50::numeric n, now()::timestamptz is not null t, '{"a":1}'::jsonb j,
    array[1,2] a, '\\x00ff'::bytea b, date '2020-01-02' d, null z, true bo, 'x'::varchar v, array['ü','b,c']::text[] ts, '1 day'::interval i,
    2.5::float8 f, '{"a":[1]}'::json js, '10.0.0.1'::inet ip, timestamp '2020-01-02 03:04:05' ts2`, (error2, result) => {
    client.end();
    callback(error || error2, result && result.rows[0]);
  }));
}
//# pg_pool needs postgres
async function login(email, password, callback) {
  const { Pool } = require('pg');
  const pool = global.pool || (global.pool = new Pool({ ...configuration.PG, max: 2 }));
  const results = await Promise.all([1, 2, 3, 4, 5].map((n) => pool.query('select $1::int * 2 as n', [n])));
  const client = await pool.connect();
  await client.query('begin');
  await client.query('create temp table t (id serial, name text) on commit drop');
  await client.query('insert into t (name) select md5(g::text) from generate_series(1, 500) g');
  const { rows } = await client.query({ text: 'select count(*) c, max(name) m from t', rowMode: 'array' });
  await client.query('rollback');
  client.release();
  callback(null, [results.map((result) => result.rows[0].n), rows, pool.totalCount]);
}
//# pg_prepared_and_large needs postgres
async function login(email, password, callback) {
  const { Client } = require('pg');
  const client = new Client(configuration.PG);
  await client.connect();
  const seen = [];
  for (const n of [1, 200000]) {
    const { rows } = await client.query({ name: 'again', text: 'select repeat($1, $2) as long', values: ['é', n] });
    seen.push(rows[0].long.length);
  }
  client.on('notice', ({ message }) => seen.push(message));
  await client.query("do $$ begin raise notice 'hello'; end $$");
  await client.end();
  callback(null, seen);
}
//# pg_wrong_password needs postgres
function login(email, password, callback) {
  const { Client } = require('pg');
  const client = new Client({ ...configuration.PG, password: 'wrong' });
  client.connect((error) => callback(null, { code: error.code, message: error.message, severity: error.severity }));
}
//# pg_errors needs postgres
async function login(email, password, callback) {
  const { Client } = require('pg');
  const client = new Client(configuration.PG);
  await client.connect();
  const seen = [];
  for (const text of ['selec 1', 'select 1/0', 'select * from nosuch', "select 'x'::int"]) {
    await client.query(text).catch(({ name, code, message, position, routine }) => seen.push([name, code, message, position, routine]));
  }
  seen.push((await client.query('select 1 as still')).rows);
  await client.end();
  await client.query('select 1').catch((error) => seen.push(error.message));
  callback(null, seen);
}
//# pg_error_to_callback needs postgres
function login(email, password, callback) {
  const { Client } = require('pg');
  const client = new Client(configuration.PG);
  client.connect(() => client.query('selec 1', (error) => {
    client.end();
    callback(error);
  }));
}
//# pg_connection_string needs postgres
async function login(email, password, callback) {
  const { Client } = require('pg');
  const { host, port, user, password: secret, database } = configuration.PG;
  const client = new Client({ connectionString: `postgres://${user}:${secret}@${host}:${port}/${database}?application_name=ferry` });
  await client.connect();
  const { rows } = await client.query("select current_setting('application_name') as name");
  await client.end();
  callback(null, rows);
}
//# pg_without_tls needs postgres
async function login(email, password, callback) {
  const { Client } = require('pg');
  const client = new Client({ ...configuration.PG, ssl: true });
  try {
    await client.connect();
    callback(null, 'connected');
  } catch (error) {
    callback(null, error.message);
  }
}
//# knex needs postgres
async function login(email, password, callback) {
  const knex = require('knex')({ client: 'pg', connection: configuration.PG });
  const rows = await knex.raw('select ? as email', [email]);
  await knex.destroy();
  callback(null, rows.rows);
}
//# mysql needs mysql
function login(email, password, callback) {
  const connection = require('mysql').createConnection(configuration.MYSQL);
  connection.connect();
  connection.query('SELECT ? AS a, NOW() IS NOT NULL AS n, CAST(1.50 AS DECIMAL(5,2)) d, DATE("2020-01-02") dt, ? IS NULL z, "ü" u',
    [email, null], (error, rows, fields) => {
      connection.end();
      callback(error, rows && [rows[0], fields.length]);
    });
}
//# mysql_pool needs mysql
function login(email, password, callback) {
  const pool = require('mysql').createPool({ ...configuration.MYSQL, connectionLimit: 2 });
  let left = 4;
  const seen = [];
  for (const n of [1, 2, 3, 4]) {
    pool.query('SELECT ? * 2 AS n', [n], (error, rows) => {
      seen.push(error ? error.code : rows[0].n);
      left -= 1;
      if (left === 0) pool.end((error2) => callback(error2, seen.sort()));
    });
  }
}
//# mysql_errors needs mysql
function login(email, password, callback) {
  const mysql = require('mysql');
  const connection = mysql.createConnection({ ...configuration.MYSQL, password: 'bad' });
  connection.connect((error) => {
    const good = mysql.createConnection(configuration.MYSQL);
    good.query('SELEC 1', (error2) => {
      good.end();
      callback(null, [error.code, error.errno, error.fatal, error2.code, error2.errno, error2.sqlState, mysql.escape("it's"), mysql.format('?? = ?', ['a', 1])]);
    });
  });
}
//# mysql2_promise needs mysql
async function login(email, password, callback) {
  const pool = require('mysql2').createPool(configuration.MYSQL).promise();
  const [rows] = await pool.execute('SELECT email, id FROM users WHERE email = ?', [email]);
  const [plain] = await pool.query('SELECT 1 AS one, CAST(2 AS UNSIGNED) AS two, JSON_OBJECT("a", 1) AS j');
  await pool.end();
  callback(null, [rows, plain]);
}
//# mysql2_errors needs mysql
function login(email, password, callback) {
  const connection = require('mysql2').createConnection({ ...configuration.MYSQL, password: 'bad' });
  connection.on('error', () => {});
  connection.connect((error) => callback(null, [error.code, error.errno, error.message.slice(0, 30)]));
}
//# mysql2_many needs mysql
async function login(email, password, callback) {
  const connection = await require('mysql2/promise').createConnection(configuration.MYSQL);
  let sum = 0;
  for (let n = 0; n < 100; n += 1) {
    const [[row]] = await connection.execute('SELECT ? + 0 AS n, REPEAT("x", 1000) AS x', [n]);
    sum += row.n + row.x.length;
  }
  await connection.end();
  callback(null, sum);
}
//# mysql_over_tls needs mysql
function login(email, password, callback) {
  const { MYSQL, CA } = configuration;
  const read = (driver, done) => {
    const connection = require(driver).createConnection({ ...MYSQL, host: 'localhost', ssl: { ca: CA } });
    connection.query("SHOW STATUS LIKE 'Ssl_version'", (error, rows) => {
      connection.destroy();
      done(error ? [error.code, error.message] : rows[0].Value);
    });
  };
  read('mysql', (one) => read('mysql2', (other) => callback(null, [one, other])));
}
//# mysql_refuses_unknown_ca needs mysql
function login(email, password, callback) {
  const read = (driver, done) => {
    const connection = require(driver).createConnection({ ...configuration.MYSQL, ssl: {} });
    connection.on('error', () => {});
    connection.query('SELECT 1', (error) => {
      connection.destroy();
      done(error && [error.code, error.message]);
    });
  };
  read('mysql', (one) => read('mysql2', (other) => callback(null, [one, other])));
}
//# axios needs http
async function login(email, password, callback) {
  const axios = require('axios');
  const headers = { 'accept-encoding': 'gzip' };
  const posted = await axios.post(`${configuration.HTTP}/login`, { email }, { auth: { username: 'k', password: 's' }, headers });
  const packed = await axios.get(`${configuration.HTTP}/gzip`, { headers });
  const failed = await axios.get(`${configuration.HTTP}/404`, { headers }).catch((error) => [error.response.status, error.code, error.message, error.response.data]);
  callback(null, [posted.status, posted.data, posted.headers['content-type'], packed.data, failed]);
}
//# axios_errors
async function login(email, password, callback) {
  const axios = require('axios');
  await axios.get('http://127.0.0.1:2/').catch(({ name, code, message }) => callback(null, [name, code, message]));
}
//# axios_timeout needs http
async function login(email, password, callback) {
  await require('axios').get(`${configuration.HTTP}/hang`, { timeout: 60 }).catch(({ code, message }) => callback(null, [code, message]));
}
//# request needs http
function login(email, password, callback) {
  const request = require('request');
  request.post({ url: `${configuration.HTTP}/login`, json: { email }, auth: { user: 'a', password: 'b' } }, (error, response, body) =>
    request({ url: `${configuration.HTTP}/redirect`, gzip: true }, (error2, response2, body2) =>
      request.post(`${configuration.HTTP}/form`, { form: { a: 1, b: 'x y' } }, (error3, response3, body3) =>
        callback(error || error2 || error3, [response.statusCode, body, response2.request.uri.path, JSON.parse(body2).url, JSON.parse(body3)]))));
}
//# request_errors needs http
function login(email, password, callback) {
  const request = require('request');
  request('http://127.0.0.1:2/', (error) => request({ url: `${configuration.HTTP}/hang`, timeout: 60 }, (error2) =>
    callback(null, [error.code, error.message, error2.code, error2.connect])));
}
//# node_fetch needs http
async function login(email, password, callback) {
  const fetch = require('node-fetch');
  const posted = await fetch(`${configuration.HTTP}/login`, { method: 'POST', body: 'x=1' });
  const packed = await fetch(`${configuration.HTTP}/gzip`);
  const failure = await fetch('http://127.0.0.1:2/').catch(({ name, code, type, message }) => [name, code, type, message]);
  callback(null, [posted.status, posted.ok, await posted.json(), await packed.json(), failure]);
}
//# fetch needs http
async function login(email, password, callback) {
  const followed = await fetch(`${configuration.HTTP}/redirect`);
  const posted = await fetch(`${configuration.HTTP}/login`, { method: 'POST', body: JSON.stringify({ email }), headers: { 'Content-Type': 'application/json' } });
  const form = await fetch(`${configuration.HTTP}/form`, { method: 'POST', body: new URLSearchParams({ a: 'ü' }) });
  const packed = await fetch(`${configuration.HTTP}/gzip`);
  const failure = await fetch('http://127.0.0.1:2/').catch((error) => [error.name, error.message, error.cause.code]);
  const aborted = await fetch(`${configuration.HTTP}/hang`, { signal: AbortSignal.timeout(50) }).catch((error) => error.name);
  callback(null, [followed.status, followed.redirected, new URL(followed.url).pathname, (await followed.json()).url, (await posted.json()).body,
    (await form.json()).body, await packed.json(), followed.headers.get('content-type'), failure, aborted]);
}
//# http_client needs http
function login(email, password, callback) {
  const http = require('http');
  const agent = new http.Agent({ keepAlive: true });
  const read = (path, options, done) => http.get(`${configuration.HTTP}${path}`, { agent, ...options }, (response) => {
    let text = '';
    response.setEncoding('utf8');
    response.on('data', (chunk) => { text += chunk; });
    response.on('end', () => done([response.statusCode, response.headers['set-cookie'], text.length, response.httpVersion]));
  });
  read('/one', {}, (one) => read('/chunks', {}, (two) => {
    const request = http.request(`${configuration.HTTP}/put`, { method: 'PUT', agent, headers: { 'X-A': ['1', '2'] } }, (response) => {
      let text = '';
      response.on('data', (chunk) => { text += chunk; });
      response.on('end', () => callback(null, [one, two, JSON.parse(text), request.reusedSocket, http.STATUS_CODES[404]]));
    });
    request.write('part one,');
    setTimeout(() => request.end('part two'), 5);
  }));
}
//# http_errors needs http
function login(email, password, callback) {
  const http = require('http');
  http.get(`${configuration.HTTP}/cut`, (response) => {
    response.resume();
    response.on('error', (error) => {
      http.get(`${configuration.HTTP}/hang`).on('socket', (socket) => socket.on('connect', () => socket.destroy())).on('error', (error2) => {
        const request = http.get(`${configuration.HTTP}/hang`, { timeout: 40 });
        request.on('timeout', () => request.destroy(new Error('too slow')));
        request.on('error', (error3) => callback(null, [error.code, error.message, error2.code, error2.message, error3.message]));
      });
    });
  });
}
//# https_verifies needs http
function login(email, password, callback) {
  const https = require('https');
  https.get(configuration.HTTPS).on('error', (error) => {
    https.get(configuration.HTTPS, { ca: configuration.CA }, (response) => {
      response.resume();
      https.get(configuration.HTTPS, { rejectUnauthorized: false, agent: false }, (response2) => {
        const { authorized, authorizationError, encrypted } = response2.socket;
        const { subject, subjectaltname } = response2.socket.getPeerCertificate();
        response2.resume();
        response2.on('end', () => callback(null, [error.code, error.message, response.statusCode, authorized, authorizationError, encrypted, subject, subjectaltname]));
      });
    });
  });
}
//# https_through_packages needs http
async function login(email, password, callback) {
  const https = require('https');
  const agent = new https.Agent({ ca: configuration.CA });
  const one = await require('axios').get(configuration.HTTPS, { httpsAgent: agent });
  const bad = await require('axios').get(configuration.HTTPS).catch(({ code, message }) => [code, message]);
  require('request')({ url: configuration.HTTPS, strictSSL: false, json: true }, (error, response, body) => callback(error, [one.status, bad, body.method]));
}
//# sockets
function login(email, password, callback) {
  const net = require('net');
  net.connect(9, '127.0.0.1').on('error', ({ code, errno, syscall, address, port, message }) => {
    net.connect({ port: 9, host: 'nope.invalid' }).on('error', (error) => callback(null, [code, errno, syscall, address, port, message,
      error.code, error.errno, error.syscall, error.hostname, error.message, net.isIP('::1'), net.isIP('1.2.3'), net.isIPv4('1.2.3.4')]));
  });
}
//# socket_events needs http
function login(email, password, callback) {
  const net = require('net');
  const { hostname, port } = new URL(configuration.HTTP);
  const seen = [];
  const socket = net.createConnection({ host: hostname, port: Number(port) }, () => {
    seen.push('connected', socket.remoteAddress, socket.remotePort === Number(port), socket.connecting, socket.readyState);
    socket.end('GET /one HTTP/1.0\r\n\r\n');
  });
  socket.setNoDelay(true).setKeepAlive(true).setEncoding('latin1');
  let text = '';
  socket.on('data', (chunk) => { text += chunk; });
  for (const event of ['ready', 'end', 'finish']) socket.on(event, () => seen.push(event));
  socket.on('close', (failed) => callback(null, [seen.sort(), failed, text.split('\r\n')[0], socket.bytesWritten, socket.destroyed]));
}
//# dns
function login(email, password, callback) {
  const dns = require('dns');
  dns.lookup('127.0.0.1', (error, address, family) => dns.lookup('nope.invalid', (error2) =>
    dns.promises.lookup('127.0.0.1', { all: true }).then((all) => callback(error, [address, family, error2.code, error2.message, all]))));
}
//# mongodb_down
async function login(email, password, callback) {
  const { MongoClient } = require('mongodb');
  const client = new MongoClient('mongodb://127.0.0.1:1', { serverSelectionTimeoutMS: 300 });
  await client.connect().catch((error) => callback(null, [error.name, error.message]));
}
//# tedious_down
function login(email, password, callback) {
  const { Connection } = require('tedious');
  const connection = new Connection({
    server: '127.0.0.1',
    options: { port: 1, connectTimeout: 800 },
    authentication: { type: 'default', options: { userName: 'a', password: 'b' } },
  });
  connection.on('connect', (error) => callback(null, [error.name, error.code, error.message]));
  connection.connect();
}
//# mssql_down
async function login(email, password, callback) {
  await require('mssql').connect({ server: '127.0.0.1', port: 1, user: 'a', password: 'b', options: { trustServerCertificate: true } })
    .catch((error) => callback(null, [error.name, error.code, error.message]));
}
//# pg_down
async function login(email, password, callback) {
  const { Pool } = require('pg');
  await new Pool({ host: '127.0.0.1', port: 1 }).query('select 1').catch(({ name, code, errno, message }) => callback(null, [name, code, errno, message]));
}
//# mysql_down
function login(email, password, callback) {
  require('mysql').createConnection({ host: '127.0.0.1', port: 1 }).connect(({ code, errno, syscall, fatal, message }) => callback(null, [code, errno, syscall, fatal, message]));
}
//# ldapjs needs ldap
function login(email, password, callback) {
  const client = require('ldapjs').createClient({ url: configuration.LDAP });
  client.bind('cn=admin,dc=example,dc=org', 'admin-pw', (error) => {
    if (error) return callback(error);
    client.search('dc=example,dc=org', { filter: `(mail=${email})`, scope: 'sub', attributes: ['cn', 'mail'] }, (error2, result) => {
      const found = [];
      result.on('searchEntry', ({ pojo }) => found.push([pojo.objectName, pojo.attributes]));
      result.on('end', ({ status }) => client.bind('cn=ann,dc=example,dc=org', 'wrong', (error3) => {
        client.unbind();
        callback(null, [found, status, error3.name, error3.code, error3.message]);
      }));
    });
  });
}
//# ldapts needs ldap
async function login(email, password, callback) {
  const { Client } = require('ldapts');
  const client = new Client({ url: configuration.LDAP });
  await client.bind('cn=admin,dc=example,dc=org', 'admin-pw');
  const { searchEntries } = await client.search('dc=example,dc=org', { filter: `(mail=${email})`, attributes: ['cn', 'mail'] });
  const refused = await client.bind('cn=ann,dc=example,dc=org', 'wrong').catch((error) => [error.name, error.code]);
  await client.unbind();
  callback(null, [searchEntries, refused]);
}
//# ldap_down
function login(email, password, callback) {
  const client = require('ldapjs').createClient({ url: 'ldap://127.0.0.1:1', connectTimeout: 500 });
  client.on('error', ({ code, message }) => callback(null, [code, message]));
}
//# mongodb needs mongodb
async function login(email, password, callback) {
  const { MongoClient, ObjectId } = require('mongodb');
  const client = new MongoClient(configuration.MONGODB, { serverSelectionTimeoutMS: 5000 });
  await client.connect();
  const users = client.db('legacy').collection('users');
  const user = await users.findOne({ email });
  const all = await users.find({}).toArray();
  const nobody = await users.findOne({ email: 'nobody' });
  await client.close();
  callback(null, [user, all.length, nobody, new ObjectId('0123456789abcdef01234567').equals(user._id), user.at instanceof Date]);
}
//# mongodb_wrong_password needs mongodb
async function login(email, password, callback) {
  const { MongoClient } = require('mongodb');
  const client = new MongoClient(configuration.MONGODB.replace('app:', 'app:x'), { serverSelectionTimeoutMS: 5000 });
  await client.connect().catch(({ name, code, codeName, message }) => callback(null, [name, code, codeName, message]));
}
//# mongodb_4_callbacks needs mongodb
function login(email, password, callback) {
  require('mongodb@4').MongoClient.connect(configuration.MONGODB, (error, client) => {
    if (error) return callback(error);
    client.db('legacy').collection('users').findOne({ email }, (error2, user) => {
      client.close();
      callback(error2, user);
    });
  });
}
//# mongodb_3_callbacks needs mongodb
function login(email, password, callback) {
  const { MongoClient } = require('mongodb@3.1.4');
  const client = new MongoClient(configuration.MONGODB, { useUnifiedTopology: true });
  client.connect((error) => {
    if (error) return callback(error);
    client.db('legacy').collection('users').findOne({ email }, (error2, user) => {
      client.close();
      callback(error2, user);
    });
  });
}
//# mongodb_3_promises needs mongodb
async function login(email, password, callback) {
  const client = await require('mongodb@3').connect(configuration.MONGODB, { useUnifiedTopology: true, useNewUrlParser: true });
  const users = await client.db('legacy').collection('users').find({ email }).project({ email: 1 }).toArray();
  await client.close();
  callback(null, users.map(({ email: found }) => found));
}
//# request_extras needs http
function login(email, password, callback) {
  const request = require('request').defaults({ json: true, headers: { 'X-Api': 'k' } });
  const jar = require('request').jar();
  request.get({ url: `${configuration.HTTP}/one`, jar, qs: { a: 'x y', b: [1, 2] } }, (error, response, body) =>
    request.get({ url: `${configuration.HTTP}/two`, jar }, (error2, response2, body2) =>
      request.get(`${configuration.HTTP}/404`, (error3, response3, body3) => {
        let piped = '';
        require('request')(`${configuration.HTTP}/chunks`).on('data', (chunk) => { piped += chunk; }).on('end', () =>
          callback(error || error2 || error3, [body.url, body2.headers, response3.statusCode, body3, piped.length]));
      })));
}
//# axios_extras needs http
async function login(email, password, callback) {
  const axios = require('axios').create({ baseURL: configuration.HTTP, headers: { 'X-Api': 'k' } });
  axios.interceptors.request.use((settings) => ({ ...settings, params: { p: 1 } }));
  const form = await axios.post('/form', new URLSearchParams({ user: email }));
  const many = await Promise.all([1, 2, 3].map((n) => axios.get(`/n${n}`)));
  const moved = await axios.get('/redirect', { maxRedirects: 0 }).then(({ status }) => [status], (error) => error.response.status);
  const text = await axios.get('/chunks', { responseType: 'arraybuffer' });
  const big = await axios.get('/chunks', { maxContentLength: 10 }).then(({ status }) => [status], ({ code, message }) => [code, message]);
  callback(null, [form.data.body, form.data.headers, many.map(({ data }) => data.url), moved, text.data.length, big]);
}
//# fetch_extras needs http
async function login(email, password, callback) {
  const form = new FormData();
  form.append('a', '1');
  form.append('f', new Blob(['xyz'], { type: 'text/plain' }), 'f.txt');
  const sent = await (await fetch(`${configuration.HTTP}/form`, { method: 'POST', body: form })).json();
  const response = await fetch(new Request(`${configuration.HTTP}/chunks`, { headers: { 'X-B': '2' } }));
  let size = 0;
  for await (const chunk of response.body) size += chunk.length;
  const manual = await fetch(`${configuration.HTTP}/redirect`, { redirect: 'manual' });
  const copy = new Response('{"a":1}', { status: 201, headers: { 'x-y': 'z' } });
  const clone = copy.clone();
  const twice = await copy.text().then(() => copy.text()).catch((error) => error.name);
  const bad = await fetch('nope').catch((error) => [error.name, error.message]);
  callback(null, [sent.body.replace(/----[-\w]+/gu, 'B').split('\r\n').length, size, response.bodyUsed, manual.status, manual.headers.get('location'), await clone.json(), twice, bad,
    [...new Headers({ b: '2', A: '1' })], copy.ok, copy.status]);
}
//# mysql_extras needs mysql
function login(email, password, callback) {
  const mysql = require('mysql');
  const connection = mysql.createConnection({ ...configuration.MYSQL, multipleStatements: true, dateStrings: true, typeCast: (field, next) => (field.type === 'TINY' ? field.string() === '1' : next()) });
  connection.beginTransaction(() => connection.query('SELECT 1 AS a; SELECT DATE("2020-01-02") AS d, CAST(1 AS UNSIGNED) u, x\'00ff\' AS b, REPEAT("y", 70000) AS long_one', (error, sets) => {
    connection.rollback(() => connection.end(() => callback(error, sets && [sets[0][0], sets[1][0].d, sets[1][0].u, sets[1][0].b, sets[1][0].long_one.length])));
  }));
  connection.on('error', () => {});
}
//# tedious needs sqlserver
function login(email, password, callback) {
  const { Connection, Request, TYPES } = require('tedious');
  const connection = new Connection({
    server: 'localhost',
    options: { port: configuration.SQLSERVER, encrypt: true, database: 'legacy', cryptoCredentialsDetails: { ca: configuration.CA } },
    authentication: { type: 'default', options: { userName: 'app', password: 'app-pässword' } },
  });
  connection.on('connect', (error) => {
    if (error) return callback(error);
    const rows = [];
    const request = new Request('SELECT email, id FROM users WHERE email = @email', (error2, count) => {
      connection.close();
      callback(error2, [rows, count]);
    });
    request.addParameter('email', TYPES.NVarChar, email);
    request.on('row', (columns) => rows.push(columns.map(({ metadata, value }) => [metadata.colName, value])));
    connection.execSql(request);
  });
  connection.connect();
}
//# tedious_wrong_password needs sqlserver
function login(email, password, callback) {
  const { Connection } = require('tedious');
  const connection = new Connection({
    server: '127.0.0.1',
    options: { port: configuration.SQLSERVER, trustServerCertificate: true },
    authentication: { type: 'default', options: { userName: 'app', password: 'wrong' } },
  });
  connection.connect((error) => callback(null, [error.name, error.code, error.message]));
}
//# tedious_refuses_unknown_ca needs sqlserver
function login(email, password, callback) {
  const { Connection } = require('tedious');
  const connection = new Connection({
    server: 'localhost',
    options: { port: configuration.SQLSERVER },
    authentication: { type: 'default', options: { userName: 'app', password: 'app-pässword' } },
  });
  connection.connect((error) => callback(null, [error.name, error.code, error.message]));
}
//# mssql needs sqlserver
async function login(email, password, callback) {
  const sql = require('mssql');
  const pool = await sql.connect({
    server: '127.0.0.1', port: configuration.SQLSERVER, user: 'app', password: 'app-pässword', database: 'legacy', options: { trustServerCertificate: true },
  });
  const { recordset } = await pool.request().input('email', sql.NVarChar, email).query('SELECT email, id FROM users WHERE email = @email');
  await pool.close();
  callback(null, recordset);
}
//# tedious_1 needs sqlserver
function login(email, password, callback) {
  const { Connection, Request, TYPES } = require('tedious@1.11.0');
  const connection = new Connection({
    server: 'localhost', userName: 'app', password: 'app-pässword', options: { port: configuration.SQLSERVER, encrypt: true, database: 'legacy', rowCollectionOnRequestCompletion: true },
  });
  connection.on('connect', (error) => {
    if (error) return callback(error);
    const request = new Request('SELECT email, id FROM users WHERE email = @email', (error2, count, rows) => {
      connection.close();
      callback(error2, [count, rows.map((row) => row.map(({ value }) => value))]);
    });
    request.addParameter('email', TYPES.NVarChar, email);
    connection.execSql(request);
  });
}
//# slow_readers needs http
function login(email, password, callback) {
  const http = require('http');
  const net = require('net');
  const { Writable, pipeline } = require('stream');
  let size = 0;
  const slow = new Writable({ highWaterMark: 1000, write(chunk, encoding, done) { size += chunk.length; setTimeout(done, 2); } });
  http.get(`${configuration.HTTP}/chunks`, { agent: false }, (response) => pipeline(response, slow, (error) => {
    const { hostname, port } = new URL(configuration.HTTP);
    let late = 0;
    const socket = net.connect(Number(port), hostname, () => socket.end('GET /chunks HTTP/1.0\r\nConnection: close\r\n\r\n'));
    // The other side is done before anybody listens: nothing of it is lost.
    setTimeout(() => {
      socket.on('data', (chunk) => { late += chunk.toString('latin1').replace(/[^az]/gu, '').length; });
      socket.on('end', () => callback(error, [size, late > 70000]));
    }, 100);
  }));
}
