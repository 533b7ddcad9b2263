// `TextEncoder` and `TextDecoder`.

'use strict';

const LABELS = {
  __proto__: null, 'utf-8': 'utf8', utf8: 'utf8', 'unicode-1-1-utf-8': 'utf8', 'utf-16le': 'utf16le', 'utf-16': 'utf16le',
  latin1: 'latin1', 'iso-8859-1': 'latin1', 'windows-1252': 'latin1', ascii: 'latin1', 'us-ascii': 'latin1',
};
const NAMES = { utf8: 'utf-8', utf16le: 'utf-16le', latin1: 'windows-1252' };

class TextEncoder {
  get encoding() {
    return 'utf-8';
  }

  encode(text = '') {
    return native.encode(String(text), 'utf8');
  }

  encodeInto(text, target) {
    let bytes = native.encode(String(text), 'utf8');
    let length = Math.min(bytes.length, target.length);
    while (length < bytes.length && length > 0 && (bytes[length] & 0xc0) === 0x80) length -= 1;
    bytes = bytes.subarray(0, length);
    target.set(bytes);
    return { read: native.decode(bytes, 'utf8', 0, length).length, written: length };
  }
}

class TextDecoder {
  #codec;
  #fatal;
  #keepMark;
  #decoder;

  constructor(label = 'utf-8', { fatal = false, ignoreBOM = false } = {}) {
    this.#codec = LABELS[String(label).trim().toLowerCase()];
    if (this.#codec === undefined) {
      throw require('errors').coded(RangeError, 'ERR_ENCODING_NOT_SUPPORTED',
        `The "${label}" encoding is not supported`);
    }
    this.#fatal = Boolean(fatal);
    this.#keepMark = Boolean(ignoreBOM);
  }

  get encoding() {
    return NAMES[this.#codec];
  }

  get fatal() {
    return this.#fatal;
  }

  get ignoreBOM() {
    return this.#keepMark;
  }

  decode(input, { stream = false } = {}) {
    const { Buffer } = require('buffer');
    let bytes = Buffer.alloc(0);
    if (ArrayBuffer.isView(input)) bytes = Buffer.from(input.buffer, input.byteOffset, input.byteLength);
    else if (input !== undefined) bytes = Buffer.from(input);
    const { StringDecoder } = require('string_decoder');
    this.#decoder ??= new StringDecoder(this.#codec);
    let text = this.#decoder.write(bytes);
    if (!stream) {
      text += this.#decoder.end();
      this.#decoder = undefined;
    }
    if (this.#fatal && text.includes('\ufffd') && !bytes.includes('\ufffd')) {
      throw require('errors').coded(TypeError, 'ERR_ENCODING_INVALID_ENCODED_DATA',
        `The encoded data was not valid for encoding ${this.encoding}`);
    }
    return !this.#keepMark && text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  }
}

module.exports = { TextEncoder, TextDecoder };
