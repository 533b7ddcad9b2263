// What `util.inspect` and `util.format` are made of: node-inspect-extracted, a copy of Node's own.

'use strict';

module.exports = require('polyfill')('node-inspect-extracted');
