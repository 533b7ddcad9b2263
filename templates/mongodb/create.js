// Action script `create`: adds a user. New passwords are kept as bcrypt.
function create(user, callback) {
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

  bcrypt.hash(user.password, 10, (hashError, hash) => {
    if (hashError) return callback(hashError);
    const added = { email: user.email, password: hash, email_verified: false, created_at: new Date() };
    if (user.username) added.username = user.username;
    users((connectError, collection) => {
      if (connectError) return callback(connectError);
      // Inserts unless the address is taken; what comes in between, a unique index refuses.
      collection.updateOne({ email: user.email }, { $setOnInsert: added }, { upsert: true, collation })
        .then((result) => {
          if (result.upsertedCount === 1) return callback(null);
          callback(new ValidationError('user_exists', 'The user already exists.'));
        }, (error) => {
          if (error.code !== 11000) return callback(error);
          callback(new ValidationError('user_exists', 'The user already exists.'));
        });
    });
  });
}
