// Action script `get_user` for a directory: who has this address or uid, without a password.
// It must give the same profile as login.js.
function getByEmail(email, callback) {
  const { Client, AndFilter, OrFilter, EqualityFilter } = require('ldapts');

  const attributes = ['entryUUID', 'uid', 'mail', 'cn', 'givenName', 'sn'];
  // The library escapes what was typed.
  const filter = new AndFilter({
    filters: [
      new EqualityFilter({ attribute: 'objectClass', value: configuration.OBJECT_CLASS || 'inetOrgPerson' }),
      new OrFilter({
        filters: ['mail', 'uid'].map((attribute) => new EqualityFilter({ attribute, value: email })),
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
      if (searchEntries.length > 1) return finish(new Error('two people of the directory have this name'));
      return finish(null, searchEntries.length ? profile(searchEntries[0]) : null);
    })
    .catch(finish);
}
