// `stream`: readable-stream 4, with web streams refused by absence.

'use strict';

const stream = require('polyfill')('readable-stream');

module.exports = stream;
