// `punycode`: the npm package that Node's own module is a copy of.

'use strict';

module.exports = require('polyfill')('punycode');
