// `Blob`, `File` and `FormData`: bytes held in memory.

'use strict';

const bytesOf = (part) => {
  const { Buffer } = require('buffer');
  if (part instanceof Blob) return Blob.bytesOf(part);
  if (ArrayBuffer.isView(part)) return Buffer.from(part.buffer, part.byteOffset, part.byteLength);
  return part instanceof ArrayBuffer ? Buffer.from(part) : Buffer.from(String(part));
};

class Blob {
  #bytes;
  #type;

  constructor(parts = [], { type = '' } = {}) {
    this.#bytes = require('buffer').Buffer.concat(Array.from(parts, bytesOf));
    this.#type = String(type).toLowerCase();
  }

  static bytesOf(blob) {
    return blob.#bytes;
  }

  get size() {
    return this.#bytes.length;
  }

  get type() {
    return this.#type;
  }

  slice(start, end, type) {
    return new Blob([this.#bytes.subarray(start, end)], { type });
  }

  text() {
    return Promise.resolve(this.#bytes.toString());
  }

  arrayBuffer() {
    return Promise.resolve(Uint8Array.from(this.#bytes).buffer);
  }

  bytes() {
    return Promise.resolve(Uint8Array.from(this.#bytes));
  }

  stream() {
    return require('web-stream').streamOf([this.#bytes]);
  }

  get [Symbol.toStringTag]() {
    return 'Blob';
  }
}

class File extends Blob {
  constructor(parts, name, options = {}) {
    super(parts, options);
    this.name = String(name);
    this.lastModified = options.lastModified ?? Date.now();
  }

  get [Symbol.toStringTag]() {
    return 'File';
  }
}

class FormData {
  #fields = [];

  append(name, value, filename) {
    this.#fields.push([String(name), this.#value(value, filename)]);
  }

  set(name, value, filename) {
    this.delete(name);
    this.append(name, value, filename);
  }

  delete(name) {
    this.#fields = this.#fields.filter(([key]) => key !== String(name));
  }

  get(name) {
    return this.#fields.find(([key]) => key === String(name))?.[1] ?? null;
  }

  getAll(name) {
    return this.#fields.filter(([key]) => key === String(name)).map(([, value]) => value);
  }

  has(name) {
    return this.#fields.some(([key]) => key === String(name));
  }

  forEach(visit, self) {
    for (const [key, value] of this.#fields) Reflect.apply(visit, self, [value, key, this]);
  }

  * entries() {
    yield* this.#fields;
  }

  * keys() {
    for (const [key] of this.#fields) yield key;
  }

  * values() {
    for (const [, value] of this.#fields) yield value;
  }

  [Symbol.iterator]() {
    return this.entries();
  }

  #value(value, filename) {
    if (!(value instanceof Blob)) return String(value);
    return value instanceof File && filename === undefined ? value
      : new File([value], filename ?? 'blob', { type: value.type });
  }

  get [Symbol.toStringTag]() {
    return 'FormData';
  }
}

/** A form as `multipart/form-data`: its bytes and the content type with the boundary. */
function multipart(form) {
  const { Buffer } = require('buffer');
  const boundary = `----formdata-${Buffer.from(native.random(12)).toString('hex')}`;
  const quoted = (text) => text.replace(/\r?\n|\r/gu, '%0D%0A').replace(/"/gu, '%22');
  const parts = [];
  for (const [name, value] of form) {
    let head = `--${boundary}\r\nContent-Disposition: form-data; name="${quoted(name)}"`;
    if (value instanceof Blob) {
      head += `; filename="${quoted(value.name)}"\r\nContent-Type: ${value.type || 'application/octet-stream'}`;
    }
    parts.push(Buffer.from(`${head}\r\n\r\n`), bytesOf(value), Buffer.from('\r\n'));
  }
  parts.push(Buffer.from(`--${boundary}--\r\n`));
  return { bytes: Buffer.concat(parts), type: `multipart/form-data; boundary=${boundary}` };
}

module.exports = { Blob, File, FormData, multipart };
