// `string_decoder`: the npm polyfill.

'use strict';

module.exports = require('polyfill')('string_decoder');
