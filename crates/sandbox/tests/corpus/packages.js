// Packages without a service. Every result must be the same on every runtime.

//# lodash
function login(email, password, callback) {
  const _ = require('lodash');
  callback(null, [_.pick({ a: 1, b: 2 }, 'a'), _.chunk([1, 2, 3], 2), _.camelCase('foo bar'), _.get({ a: { b: 1 } }, 'a.b'), _.template('x<%= y %>')({ y: 1 }),
    _.isEqual({ a: [1] }, { a: [1] }), _.cloneDeep({ d: new Date(0) }).d.getTime(), _.deburr('déjà')]);
}
//# bcrypt
async function login(email, password, callback) {
  const bcrypt = require('bcryptjs');
  const made = await bcrypt.hash('x', 4);
  const salt = await bcrypt.genSalt(5);
  const known = '$2b$04$abcdefghijklmnopqrstuuX6TFzYQ1cyVXtJPjJuxgWPfh2vIWyEe';
  callback(null, [made.length, made.slice(0, 7), await bcrypt.compare('x', made), await bcrypt.compare('y', made), salt.length, salt.slice(0, 7),
    bcrypt.hashSync('x', salt).slice(0, 29) === salt, bcrypt.getRounds(made), bcrypt.compareSync('x', made.replace('$2b$', '$2a$')),
    bcrypt.hashSync('pw', '$2b$04$abcdefghijklmnopqrstuu').length === known.length]);
}
//# bcrypt_callbacks
function login(email, password, callback) {
  const bcrypt = require('bcryptjs');
  bcrypt.genSalt(4, (error, salt) => bcrypt.hash('pässword', salt, (error2, made) => bcrypt.compare('pässword', made, (error3, same) =>
    callback(error || error2 || error3, { same, kept: made.startsWith(salt) }))));
}
//# jsonwebtoken
function login(email, password, callback) {
  const jwt = require('jsonwebtoken');
  const { rsa, rsaPublic, ec, ecPublic } = configuration.KEYS;
  const seen = [];
  const fixed = { iat: 1700000000, sub: email };
  const plain = jwt.sign(fixed, 'secret');
  seen.push(plain, jwt.verify(plain, 'secret').sub, jwt.sign(fixed, rsa, { algorithm: 'RS256' }));
  for (const [key, open, algorithm] of [[rsa, rsaPublic, 'RS256'], [rsa, rsaPublic, 'PS256'], [ec, ecPublic, 'ES256']]) {
    seen.push(jwt.verify(jwt.sign(fixed, key, { algorithm }), open, { algorithms: [algorithm] }).sub);
  }
  for (const work of [() => jwt.verify(plain, 'other'), () => jwt.verify(jwt.sign({ exp: 1 }, 'k'), 'k'), () => jwt.verify('x.y', 'k')]) {
    try {
      work();
    } catch (error) {
      seen.push([error.name, error.message]);
    }
  }
  callback(null, seen);
}
//# async_library
function login(email, password, callback) {
  const async = require('async');
  async.waterfall([(next) => setTimeout(next, 1, null, 1), (value, next) => async.map([value, 2], (item, done) => done(null, item * 2), next)], (error, list) =>
    async.parallel({ a: (done) => done(null, 1), b: async () => 2 }, (error2, both) => callback(error || error2, [list, both])));
}
//# bluebird
function login(email, password, callback) {
  const Bluebird = require('bluebird');
  const read = Bluebird.promisify((value, done) => setTimeout(done, 1, null, value));
  Bluebird.map([1, 2, 3], (value) => read(value * 2), { concurrency: 2 }).delay(2).then((list) =>
    Bluebird.reject(new TypeError('bad')).catch(TypeError, (error) => [list, error.message])).asCallback(callback);
}
//# q
function login(email, password, callback) {
  const Q = require('q');
  Q.nfcall((value, done) => done(null, value), 5).then((value) => Q.all([value, Q.delay(1).then(() => 2)])).nodeify(callback);
}
//# uuid
function login(email, password, callback) {
  const uuid = require('uuid');
  const made = uuid.v4();
  callback(null, [uuid.validate(made), uuid.version(made), uuid.v5('x', uuid.v5.DNS), uuid.v3('x', uuid.v3.URL), made.length]);
}
//# qs
function login(email, password, callback) {
  const qs = require('qs');
  callback(null, [qs.parse('a[b]=1&c[]=2&c[]=3'), qs.stringify({ a: { b: 1 }, c: [1, 2] }), qs.stringify({ a: 'ü' }, { addQueryPrefix: true })]);
}
//# moment
function login(email, password, callback) {
  const moment = require('moment');
  const start = moment.utc('2020-02-28T10:00:00Z');
  callback(null, [start.clone().add(2, 'days').format('YYYY-MM-DD HH:mm'), start.format('dddd, MMMM Do'), moment.duration(90, 'minutes').humanize(),
    moment.utc('31/12/2019', 'DD/MM/YYYY').toISOString(), start.isBefore('2021-01-01'), start.unix()]);
}
//# xml2js
function login(email, password, callback) {
  const { parseString, Builder } = require('xml2js');
  parseString('<r a="1"><b>x</b><b>y</b><c/></r>', (error, tree) =>
    callback(error, [tree, new Builder({ headless: true, renderOpts: { pretty: false } }).buildObject({ r: { b: ['x', 'y'] } })]));
}
//# knex_texts
function login(email, password, callback) {
  const knex = require('knex')({ client: 'pg' });
  const query = knex('users').where({ email }).select('id').limit(1).toSQL().toNative();
  callback(null, [query.sql, query.bindings, knex('t').insert({ a: 1 }).toString()]);
}
//# what_packages_give
function login(email, password, callback) {
  const names = (value) => Object.keys(value).sort();
  callback(null, [names(require('mssql')).length, typeof require('tedious').Connection, typeof require('ldapjs').createClient,
    typeof require('mongodb').MongoClient, typeof require('mysql').createPool, typeof require('mysql2').createPool, typeof require('mysql2/promise').createPool,
    typeof require('pg').Pool, typeof require('request').post, typeof require('node-fetch'), typeof require('axios').get]);
}
//# bcrypt_of_npm
async function login(email, password, callback) {
  const bcrypt = require('bcrypt');
  const made = await bcrypt.hash('x', 4);
  const salt = await bcrypt.genSalt(5);
  const seen = [made.length, made.slice(0, 7), await bcrypt.compare('x', made), await bcrypt.compare('x', 'notahash'), salt.length, salt.slice(0, 7),
    bcrypt.hashSync('x', salt).slice(0, 29) === salt, bcrypt.getRounds(made), await bcrypt.compare('x', made.replace('$2b$', '$2a$')),
    await bcrypt.compare('x', made.replace('$2b$', '$2y$')), bcrypt.hashSync('pässword', '$2b$04$abcdefghijklmnopqrstuu')];
  for (const work of [() => bcrypt.compare('x', undefined), () => bcrypt.hash('x'), () => bcrypt.hash('x', 'nosalt'), () => bcrypt.compare(5, made)]) {
    await work().then((value) => seen.push(value), (error) => seen.push(error.message));
  }
  bcrypt.compare('x', made, (error, same) => callback(error, [...seen, same]));
}
