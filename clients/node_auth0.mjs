// node-auth0: its authentication and its management client.
import { AuthenticationClient, ManagementClient, UserInfoClient } from "auth0";
import { Person } from "./person.mjs";
import { did, expect, refusal, told } from "./told.mjs";

const domain = new URL(told.issuer).host;
const { client_id: clientId, client_secret: clientSecret } = told.clients.web;
const { username, password } = told.person;

const auth = new AuthenticationClient({ domain, clientId, clientSecret });
const scope = "openid profile email offline_access";

const { data: tokens } = await auth.oauth.passwordGrant({ username, password, realm: told.connection, scope });
const { data: person } = await new UserInfoClient({ domain }).getUserInfo(tokens.access_token);
expect(person.email === username, "another person", person);
did("password and userinfo");
const wrong = await refusal(auth.oauth.passwordGrant({ username, password: "wrong", realm: told.connection }));
expect(wrong.error === "invalid_grant" && wrong.statusCode === 403, "another refusal", wrong);
did("a wrong password is refused");

const asked = new URL("authorize", told.issuer);
asked.search = new URLSearchParams({ client_id: clientId, redirect_uri: told.callback, response_type: "code", scope, state: "its", nonce: "n" });
const back = await new Person().signIn(asked);
const { data: byCode } = await auth.oauth.authorizationCodeGrant(
  { code: back.searchParams.get("code"), redirect_uri: told.callback },
  { idTokenValidateOptions: { nonce: "n" } },
);
did("code, its ID token checked");
const { data: next } = await auth.oauth.refreshTokenGrant({ refresh_token: byCode.refresh_token });
await auth.oauth.revokeRefreshToken({ token: next.refresh_token });
const late = await refusal(auth.oauth.refreshTokenGrant({ refresh_token: next.refresh_token }));
expect(late.error === "invalid_grant", "another refusal", late);
did("refresh and revocation");
const { data: own } = await auth.oauth.clientCredentialsGrant({ audience: told.audience });
expect(own.token_type === "Bearer" && own.expires_in > 0, "no token", own);
did("client_credentials");
const { data: pushed } = await auth.oauth.pushedAuthorization({
  client_id: clientId, response_type: "code", redirect_uri: told.callback, state: "its", scope,
});
expect(pushed.request_uri && pushed.expires_in > 0, "not pushed", pushed);
did("a request is pushed");

const { data: bob } = await auth.database.signUp({
  connection: told.connection, email: "bob@example.com", password, user_metadata: { boat: "Dory" },
});
expect(bob.email === "bob@example.com" && bob._id, "another user", bob);
const twice = await refusal(auth.database.signUp({ connection: told.connection, email: "bob@example.com", password }));
expect(twice.statusCode === 400, "another refusal", twice);
const { data: mailed } = await auth.database.changePassword({ connection: told.connection, email: "bob@example.com" });
expect(/sent you an email/.test(mailed), "another answer", mailed);
did("sign-up and change of password");

const management = new ManagementClient({ domain, clientId: told.admin.client_id, clientSecret: told.admin.client_secret });

async function users() {
  const { data: cyd } = await management.users.create({ connection: told.connection, email: "cyd@example.com", password, app_metadata: { plan: "free" } });
  expect(cyd.user_id.startsWith("auth0|") && cyd.email_verified === false, "another user", cyd);
  const id = { id: cyd.user_id };
  const { data: changed } = await management.users.update(id, { app_metadata: { plan: "paid" }, name: "Cyd" });
  expect(changed.app_metadata.plan === "paid" && changed.name === "Cyd", "not changed", changed);
  const { data: found } = await management.usersByEmail.getByEmail({ email: "cyd@example.com" });
  expect(found.length === 1 && found[0].user_id === cyd.user_id, "not found", found);
  const { data: page } = await management.users.getAll({ q: 'email:"cyd@example.com"', search_engine: "v3", include_totals: true, per_page: 1 });
  expect(page.total === 1 && page.users[0].user_id === cyd.user_id, "another page", page);
  const { data: log } = await management.users.getLogs(id);
  expect(Array.isArray(log), "no list", log);
  await management.users.delete(id);
  const gone = await refusal(management.users.get(id));
  expect(gone.statusCode === 404 && gone.errorCode === "inexistent_user", "another refusal", gone);
  did("users: create, change, find, delete");
}

async function connections() {
  const { data: made } = await management.connections.create({ name: "crew", strategy: "auth0", options: {} });
  const { data: all } = await management.connections.getAll({ strategy: ["auth0"] });
  expect(all.map(({ name }) => name).sort().join() === "crew,people", "other connections", all);
  await management.connections.update({ id: made.id }, { options: { disable_signup: true } });
  const { data: changed } = await management.connections.get({ id: made.id });
  expect(changed.options.disable_signup === true, "not changed", changed);
  await management.connections.delete({ id: made.id });
  did("connections: create, list, change, delete");
}

async function clients() {
  const { data: made } = await management.clients.create({ name: "crew list", app_type: "regular_web", callbacks: [told.callback] });
  const id = { client_id: made.client_id };
  expect(made.client_secret && made.callbacks[0] === told.callback, "another client", made);
  await management.clients.update(id, { description: "who is on board" });
  const { data: same } = await management.clients.get(id);
  expect(same.description === "who is on board", "not changed", same);
  const { data: rotated } = await management.clients.rotateClientSecret(id);
  expect(rotated.client_secret !== made.client_secret, "not rotated", {});
  const { data: page } = await management.clients.getAll({ include_totals: true, per_page: 50 });
  expect(page.clients.some(({ client_id }) => client_id === made.client_id), "not listed", page);
  await management.clients.delete(id);
  did("clients: create, change, rotate the secret, list, delete");
}

async function rest() {
  const { data: servers } = await management.resourceServers.getAll();
  expect(servers.some(({ identifier }) => identifier === told.audience), "not listed", servers);
  const { data: grants } = await management.clientGrants.getAll({ client_id: clientId });
  expect(grants.some(({ audience }) => audience === told.audience), "not listed", grants);
  const { data: logs } = await management.logs.getAll({ per_page: 5 });
  expect(logs.length === 5 && logs[0].log_id, "no log", logs);
  const { data: keys } = await management.keys.getAll();
  expect(keys.some(({ current }) => current), "no key", keys);
  did("APIs, grants, logs and keys are listed");
}

await users();
await connections();
await clients();
await rest();
