// `tty`: nothing is a terminal.

'use strict';

class ReadStream {}
class WriteStream {}

module.exports = { isatty: () => false, ReadStream, WriteStream };
