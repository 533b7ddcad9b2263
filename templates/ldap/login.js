// Action script `login` for a directory: finds the person with a reading account, then binds as that
// person. The directory itself checks the password, in whatever form it keeps it.
function login(userNameOrEmail, password, callback) {
  const { Client, AndFilter, OrFilter, EqualityFilter, InvalidCredentialsError } = require('ldapts');

  // A bind without a password succeeds as nobody: RFC 4513, section 5.1.2.
  if (!password) return callback(new WrongUsernameOrPasswordError(userNameOrEmail));

  const attributes = ['entryUUID', 'uid', 'mail', 'cn', 'givenName', 'sn'];
  // The library escapes what was typed.
  const filter = new AndFilter({
    filters: [
      new EqualityFilter({ attribute: 'objectClass', value: configuration.OBJECT_CLASS || 'inetOrgPerson' }),
      new OrFilter({
        filters: ['mail', 'uid'].map((attribute) => new EqualityFilter({ attribute, value: userNameOrEmail })),
      }),
    ],
  });

  function profile(entry) {
    const first = (value) => (Array.isArray(value) ? value[0] : value) || undefined;
    return {
      // It stays when a person is renamed or moved, unlike the distinguished name.
      user_id: `${configuration.USER_ID_PREFIX || 'ldap'}-${first(entry.entryUUID)}`,
      email: first(entry.mail),
      email_verified: configuration.EMAILS_ARE_VERIFIED === 'true',
      username: first(entry.uid),
      given_name: first(entry.givenName),
      family_name: first(entry.sn),
      name: first(entry.cn),
      app_metadata: { dn: entry.dn },
    };
  }

  // Connections are not kept: a bind changes who a connection is.
  const client = new Client({
    url: configuration.LDAP_URL,
    timeout: 5000,
    connectTimeout: 5000,
    tlsOptions: configuration.LDAP_CA ? { ca: [configuration.LDAP_CA] } : undefined,
  });
  function finish(error, user) {
    const answer = () => callback(error, user);
    client.unbind().then(answer, answer);
  }

  client.bind(configuration.BIND_DN, configuration.BIND_PASSWORD)
    .then(() => client.search(configuration.BASE_DN, { scope: 'sub', filter, attributes, sizeLimit: 2 }))
    .then(({ searchEntries }) => {
      if (searchEntries.length === 0) return finish(null, null);
      if (searchEntries.length > 1) return finish(new Error('two people of the directory have this name'));
      const [entry] = searchEntries;
      return client.bind(entry.dn, password).then(() => finish(null, profile(entry)), (error) => {
        const isWrong = error instanceof InvalidCredentialsError;
        finish(isWrong ? new WrongUsernameOrPasswordError(userNameOrEmail) : error);
      });
    })
    .catch(finish);
}
