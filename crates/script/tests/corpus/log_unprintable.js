function login(email, password, callback) {
  console.log({ [require('util').inspect.custom]: () => { throw new Error('no'); } });
  console.log('\ud800 lone');
  console.warn('w'), console.error('e'), console.info('i'), console.debug('d');
  console.table([1]), console.group('x'), console.time('x');
  callback(null, { user_id: 1, lone: 'a\ud800b' });
}
