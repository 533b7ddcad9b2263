// The web server that the corpus talks to: plain on one free port and, with a certificate, TLS on
// another. Prints `{"http": PORT, "https": PORT}` and ends with its standard input.
//
//   node server.cjs [KEY.pem CERTIFICATE.pem]

'use strict';

const { readFileSync } = require('node:fs');
const http = require('node:http');
const https = require('node:https');
const { gzipSync } = require('node:zlib');

const PATHS = {
  __proto__: null,
  '/redirect': (response) => response.writeHead(302, { location: '/final' }).end(),
  '/gzip': (response) => response.writeHead(200, { 'content-encoding': 'gzip', 'content-type': 'application/json' }).end(gzipSync('{"packed":true}')),
  '/hang': () => {},
  '/cut': (response) => {
    response.writeHead(200, { 'content-length': 100 });
    response.write('abc', () => response.destroy());
  },
  '/chunks': (response) => {
    response.write('a'.repeat(70000));
    setImmediate(() => response.end('z'));
  },
  '/404': (response) => response.writeHead(404).end('nope'),
};
/** What depends on the client's taste and not on what was asked. */
const TASTES = new Set(['accept', 'accept-encoding', 'accept-language', 'connection', 'host', 'sec-fetch-mode', 'user-agent', 'referer']);

function answer(request, response) {
  let body = '';
  request.on('data', (chunk) => (body += chunk));
  request.on('end', () => {
    const special = PATHS[request.url];
    if (special) {
      special(response);
      return;
    }
    const headers = Object.entries(request.headers).filter(([name]) => !TASTES.has(name)).sort();
    response.setHeader('content-type', 'application/json');
    response.setHeader('set-cookie', ['a=1', 'b=2']);
    response.end(JSON.stringify({ method: request.method, url: request.url, body, headers }));
  });
}

function listen(server) {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address().port)));
}

async function main([key, certificate]) {
  const ports = { http: await listen(http.createServer(answer)) };
  if (key) ports.https = await listen(https.createServer({ key: readFileSync(key), cert: readFileSync(certificate) }, answer));
  process.stdout.write(`${JSON.stringify(ports)}\n`);
  process.stdin.resume();
  process.stdin.on('end', () => process.exit(0));
}

main(process.argv.slice(2));
