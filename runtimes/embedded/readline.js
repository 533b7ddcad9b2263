// `readline`: there is no terminal.

'use strict';

const { refused } = require('errors');

module.exports = {
  createInterface() {
    throw refused('readline.createInterface');
  },
  clearLine: () => true,
  cursorTo: () => true,
  moveCursor: () => true,
};
