// Action script `login` for users in a MongoDB collection. The names of the fields are the place to
// adapt.
function login(userNameOrEmail, password, callback) {
  const { verify } = require('ferry/password');
  const { MongoClient } = require('mongodb');

  // One client per worker; it keeps its own connections. One that never connected is not kept, so
  // that the next call tries again.
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
  const name = String(userNameOrEmail);
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
    collection.findOne(filter, find).then((user) => {
      if (!user) return callback(null);
      // What the hashes do not say themselves, such as a pepper: docs/starters.md.
      const options = JSON.parse(configuration.PASSWORD_OPTIONS || '{}');
      verify(password, user.password || '', options).then((isRight) => {
        if (!isRight) return callback(new WrongUsernameOrPasswordError(userNameOrEmail));
        callback(null, profile(user));
      }, callback);
    }, callback);
  });
}
