// Action script `get_user` for users in a MongoDB collection: who has this address, without a password.
// It must give the same profile as login.js.
function getByEmail(email, callback) {
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

  // Texts only: an object would be an operator. The collation compares without case.
  const name = String(email);
  const filter = { $or: [{ email: name }, { username: name }] };
  const find = { collation: { locale: 'en', strength: 2 }, sort: { _id: 1 } };

  function profile(user) {
    return {
      user_id: `${configuration.USER_ID_PREFIX || 'mongodb'}-${user._id}`,
      email: user.email,
      email_verified: user.email_verified === true,
      username: user.username,
      given_name: user.given_name,
      family_name: user.family_name,
      name: [user.given_name, user.family_name].filter(Boolean).join(' ') || user.email,
      app_metadata: { legacy_id: String(user._id), legacy_created_at: user.created_at },
    };
  }

  users((connectError, collection) => {
    if (connectError) return callback(connectError);
    collection.findOne(filter, find).then((user) => callback(null, user ? profile(user) : null), callback);
  });
}
