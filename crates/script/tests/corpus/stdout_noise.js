function login(email, password, callback) {
  process.stdout.write('\0\0\0\5garbage');
  process.stderr.write('more of it');
  require('fs').writeSync(1, 'noise');
  console.log('hi %s', email);
  callback(null, { user_id: 1 });
}
