// `http2`: the constants that clients import; connections are HTTP/1.1 here.

'use strict';

const { refused } = require('errors');

const constants = {
  HTTP2_HEADER_STATUS: ':status', HTTP2_HEADER_METHOD: ':method', HTTP2_HEADER_PATH: ':path', HTTP2_HEADER_SCHEME: ':scheme',
  HTTP2_HEADER_AUTHORITY: ':authority', HTTP2_HEADER_CONTENT_TYPE: 'content-type', NGHTTP2_CANCEL: 8, NGHTTP2_NO_ERROR: 0,
};

module.exports = {
  constants,
  connect() {
    throw refused('http2.connect');
  },
  getDefaultSettings: () => ({}),
};
