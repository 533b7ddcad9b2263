// openid-client: the flows of its examples, one function each.
import * as client from "openid-client";
import { Person } from "./person.mjs";
import { did, expect, manage, refusal, told } from "./told.mjs";

const SCOPE = "openid profile email offline_access";
const web = told.clients.web;

const issuer = new URL(told.issuer);
// Plain http is for development on localhost, and the library wants to be told so.
const options = issuer.protocol === "http:" ? { execute: [client.allowInsecureRequests] } : undefined;
const discovered = (client_id, metadata, proof) => client.discovery(issuer, client_id, metadata, proof, options);
const config = await discovered(web.client_id, web.client_secret);
expect(config.serverMetadata().issuer === told.issuer, "another issuer", config.serverMetadata().issuer);
did("discovery");

/** A request's checks and its URL. */
async function request(config, more = {}) {
  const verifier = client.randomPKCECodeVerifier();
  const checks = { pkceCodeVerifier: verifier, expectedState: client.randomState(), expectedNonce: client.randomNonce() };
  const parameters = {
    redirect_uri: told.callback,
    scope: SCOPE,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    ...more,
  };
  return { checks, parameters };
}

/** A whole login by code. */
async function login(config, { person = new Person(), more, options } = {}) {
  const { checks, parameters } = await request(config, more);
  const url = await person.signIn(client.buildAuthorizationUrl(config, parameters));
  return client.authorizationCodeGrant(config, url, checks, undefined, options);
}

async function code() {
  const tokens = await login(config);
  const claims = tokens.claims();
  expect(claims.email === told.person.username && claims.sub.startsWith("auth0|"), "other claims", claims);
  did("code and PKCE");
  const person = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
  expect(person.email === told.person.username, "another person", person);
  did("userinfo");
  return tokens;
}

async function refresh(tokens) {
  const next = await client.refreshTokenGrant(config, tokens.refresh_token);
  expect(next.refresh_token && next.refresh_token !== tokens.refresh_token, "did not rotate", next);
  expect(next.claims().sub === tokens.claims().sub, "another person", next.claims());
  did("refresh rotates");
  const again = await refusal(client.refreshTokenGrant(config, tokens.refresh_token));
  expect(again.error === "invalid_grant", "another refusal", again);
  const family = await refusal(client.refreshTokenGrant(config, next.refresh_token));
  expect(family.error === "invalid_grant", "another refusal", family);
  did("a reused refresh token ends its family");
}

async function introspection() {
  const tokens = await login(config);
  const seen = await client.tokenIntrospection(config, tokens.refresh_token);
  expect(seen.active === true && seen.client_id === web.client_id, "not active", seen);
  did("introspection");
  await client.tokenRevocation(config, tokens.refresh_token);
  const gone = await client.tokenIntrospection(config, tokens.refresh_token);
  expect(gone.active === false, "still active", gone);
  const refused = await refusal(client.refreshTokenGrant(config, tokens.refresh_token));
  expect(refused.error === "invalid_grant", "another refusal", refused);
  did("revocation");
}

async function privateKeyJwt() {
  const keys = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
  const spki = Buffer.from(await crypto.subtle.exportKey("spki", keys.publicKey)).toString("base64");
  const pem = `-----BEGIN PUBLIC KEY-----\n${spki.match(/.{1,64}/g).join("\n")}\n-----END PUBLIC KEY-----\n`;
  const { client_id } = told.clients.keyed;
  const credential = { name: "its key", credential_type: "public_key", pem, alg: "ES256" };
  const { id } = await manage("POST", `clients/${client_id}/credentials`, credential);
  await manage("PATCH", `clients/${client_id}`, {
    client_authentication_methods: { private_key_jwt: { credentials: [{ id }] } },
    token_endpoint_auth_method: null,
  });
  const keyed = await discovered(client_id, undefined, client.PrivateKeyJwt(keys.privateKey));
  const tokens = await login(keyed);
  expect(tokens.claims().aud === client_id, "another audience", tokens.claims());
  await client.refreshTokenGrant(keyed, tokens.refresh_token);
  did("private_key_jwt");
}

async function dpop() {
  const { client_id } = told.clients.native;
  const native = await discovered(client_id, undefined, client.None());
  const DPoP = client.getDPoPHandle(native, await client.randomDPoPKeyPair("ES256"));
  const more = { dpop_jkt: await DPoP.calculateThumbprint() };
  const tokens = await login(native, { more, options: { DPoP } });
  expect(tokens.token_type === "dpop", "another type", tokens.token_type);
  const { sub } = tokens.claims();
  await client.fetchUserInfo(native, tokens.access_token, sub, { DPoP });
  const next = await client.refreshTokenGrant(native, tokens.refresh_token, undefined, { DPoP });
  await client.fetchUserInfo(native, next.access_token, sub, { DPoP });
  // A thief has the token and another key.
  const thief = client.getDPoPHandle(native, await client.randomDPoPKeyPair("ES256"));
  await refusal(client.fetchUserInfo(native, next.access_token, sub, { DPoP: thief }));
  await refusal(client.refreshTokenGrant(native, next.refresh_token, undefined, { DPoP: thief }));
  did("DPoP");
}

async function logout() {
  const person = new Person();
  const tokens = await login(config, { person });
  const { parameters } = await request(config, { prompt: "none" });
  const known = await person.signIn(client.buildAuthorizationUrl(config, parameters));
  expect(known.searchParams.has("code"), "no session", known.href);
  const state = client.randomState();
  const end = client.buildEndSessionUrl(config, {
    post_logout_redirect_uri: told.bye,
    id_token_hint: tokens.id_token,
    state,
  });
  const { url } = await person.visit(end, told.bye);
  expect(url.searchParams.get("state") === state, "the way ended elsewhere", url.href);
  const { checks, parameters: silent } = await request(config, { prompt: "none" });
  const back = await person.signIn(client.buildAuthorizationUrl(config, silent));
  const refused = await refusal(client.authorizationCodeGrant(config, back, checks));
  expect(refused.error === "login_required", "another refusal", refused);
  did("logout");
}

/** The person has the device's code and a browser. */
async function device() {
  const { client_id } = told.clients.device;
  const television = await discovered(client_id, undefined, client.None());
  const started = await client.initiateDeviceAuthorization(television, { scope: SCOPE });
  const poll = () =>
    client.genericGrantRequest(television, "urn:ietf:params:oauth:grant-type:device_code", {
      device_code: started.device_code,
    });
  const early = await refusal(poll());
  expect(early.error === "authorization_pending", "another refusal", early);
  const hasty = await refusal(poll());
  expect(hasty.error === "slow_down", "another refusal", hasty);
  did("a device is told to wait, and to wait longer");
  // The library polls, is told to slow down, and does; the person answers in between.
  const person = new Person({ ...told.person, user_code: started.user_code });
  const heard = [];
  television[client.customFetch] = async (...call) => {
    const answer = await fetch(...call);
    if (!answer.ok && heard.push((await answer.clone().json()).error) === 1) {
      await person.visit(started.verification_uri_complete);
    }
    return answer;
  };
  const tokens = await client.pollDeviceAuthorizationGrant(television, started);
  expect(tokens.claims().email === told.person.username, "another person", tokens.claims());
  expect(heard.join() === "slow_down", "other answers", heard);
  did("device");
}

async function pushed() {
  const { checks, parameters } = await request(config);
  const url = await client.buildAuthorizationUrlWithPAR(config, parameters);
  expect(url.searchParams.get("request_uri")?.startsWith("urn:ietf:params:oauth:request_uri:"), "not pushed", url.href);
  did("a request is pushed");
  const back = await new Person().signIn(url);
  const tokens = await client.authorizationCodeGrant(config, back, checks);
  expect(tokens.claims().email === told.person.username, "another person", tokens.claims());
  did("PAR");
}

const tokens = await code();
await refresh(tokens);
await introspection();
await privateKeyJwt();
await dpop();
await logout();
await pushed();
await device();
