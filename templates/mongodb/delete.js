// Action script `delete`: removes a user. `id` is what the profile calls `user_id`.
function deleteUser(id, callback) {
  const { MongoClient, ObjectId } = require('mongodb');

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

  const prefix = `${configuration.USER_ID_PREFIX || 'mongodb'}-`;
  if (!id.startsWith(prefix)) return callback(new Error('this user is not of this store'));
  const key = id.slice(prefix.length);
  users((connectError, collection) => {
    if (connectError) return callback(connectError);
    const _id = ObjectId.isValid(key) ? new ObjectId(key) : key;
    collection.deleteOne({ _id }).then(() => callback(null), callback);
  });
}
