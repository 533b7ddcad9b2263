// Action script `change_password`: sets a password, kept as bcrypt.
function changePassword(email, newPassword, callback) {
  const bcrypt = require('bcrypt');
  const { MongoClient } = require('mongodb');

  // The same client as in login.js.
  function users(done) {
    if (!global.client) {
      const client = new MongoClient(configuration.DATABASE_URL, {
        maxPoolSize: 1,
        serverSelectionTimeoutMS: 5000,
      });
      client.on('error', () => {});
      global.client = client.connect();
    }
    global.client.then((client) => done(null, client.db().collection('users')), (error) => {
      global.client = null;
      done(error);
    });
  }

  const collation = { locale: 'en', strength: 2 };

  bcrypt.hash(newPassword, 10, (hashError, hash) => {
    if (hashError) return callback(hashError);
    users((connectError, collection) => {
      if (connectError) return callback(connectError);
      collection.updateOne({ email: String(email) }, { $set: { password: hash } }, { collation })
        .then((result) => callback(null, result.matchedCount > 0), callback);
    });
  });
}
