// `assert`: the npm polyfill.

'use strict';

const assert = require('polyfill')('assert');

module.exports = assert;
