// `stream`: readable-stream 4. As in Node, the module is the old `Stream` function with the rest on it.

'use strict';

module.exports = require('polyfill')('readable-stream').Stream;
