// `require('ferry/password')` of these tests: the question goes to the test's own process.

'use strict';

const { connect } = require('node:net');

exports.verify = (password, stored, options = {}) => new Promise((resolve, reject) => {
  let text = '';
  const socket = connect(PORT, '127.0.0.1');
  socket.on('error', reject);
  socket.on('data', (data) => { text += data; });
  socket.on('end', () => {
    const { right, error } = JSON.parse(text);
    if (error) return reject(new Error(error));
    resolve(right);
  });
  socket.write(`${JSON.stringify({ password, stored, options })}\n`);
});
