// oauth4webapi: the same flows, with each request and each answer's checks by hand.
import * as oauth from "oauth4webapi";
import { Person } from "./person.mjs";
import { did, expect, refusal, told } from "./told.mjs";

const issuer = new URL(told.issuer);
const discovered = await oauth.discoveryRequest(issuer);
const server = await oauth.processDiscoveryResponse(issuer, discovered);
did("discovery");

const { client_id, client_secret } = told.clients.web;
const client = { client_id };
const byPost = oauth.ClientSecretPost(client_secret);

async function code(scope, more = {}, person = new Person()) {
  const verifier = oauth.generateRandomCodeVerifier();
  const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()];
  const url = new URL(server.authorization_endpoint);
  url.search = new URLSearchParams({
    client_id,
    redirect_uri: told.callback,
    response_type: "code",
    scope,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
    nonce,
    ...more,
  });
  const back = await person.signIn(url);
  const parameters = oauth.validateAuthResponse(server, client, back, state);
  const answer = await oauth.authorizationCodeGrantRequest(server, client, byPost, parameters, told.callback, verifier);
  return oauth.processAuthorizationCodeResponse(server, client, answer, { expectedNonce: nonce, requireIdToken: true });
}

const tokens = await code("openid profile email offline_access read:boats", { audience: told.audience });
const claims = oauth.getValidatedIdTokenClaims(tokens);
expect(claims.email === told.person.username, "another person", claims);
did("code and PKCE");

const seen = await oauth.userInfoRequest(server, client, tokens.access_token);
const info = await oauth.processUserInfoResponse(server, client, claims.sub, seen);
expect(info.email === told.person.username, "another person", info);
did("userinfo");

/** What an API does with a call. */
async function called(access_token) {
  const call = new Request(`${told.audience}all`, { headers: { authorization: `Bearer ${access_token}` } });
  return oauth.validateJwtAccessToken(server, call, told.audience);
}
const inside = await called(tokens.access_token);
expect(inside.sub === claims.sub && inside.scope.split(" ").includes("read:boats"), "other claims", inside);
did("the API accepts its token");

const renewed = await oauth.refreshTokenGrantRequest(server, client, byPost, tokens.refresh_token);
const next = await oauth.processRefreshTokenResponse(server, client, renewed);
expect(next.refresh_token !== tokens.refresh_token, "did not rotate", next);
await called(next.access_token);
did("refresh");

// RFC 6749 section 2.3.1: the header, with both halves encoded.
const byHeader = oauth.ClientSecretBasic(told.clients.basic.client_secret);
const machine = { client_id: told.clients.basic.client_id };
const wanted = new URLSearchParams({ audience: told.audience });
const granted = await oauth.clientCredentialsGrantRequest(server, machine, byHeader, wanted);
const own = await oauth.processClientCredentialsResponse(server, machine, granted);
expect((await called(own.access_token)).client_id === machine.client_id, "another client", own);
did("client_credentials by client_secret_basic");

async function introspected(token) {
  const answer = await oauth.introspectionRequest(server, client, byPost, token);
  return oauth.processIntrospectionResponse(server, client, answer);
}
expect((await introspected(next.refresh_token)).active === true, "not active");
did("introspection");

await oauth.processRevocationResponse(await oauth.revocationRequest(server, client, byPost, next.refresh_token));
expect((await introspected(next.refresh_token)).active === false, "still active");
const late = await oauth.refreshTokenGrantRequest(server, client, byPost, next.refresh_token);
const refused = await refusal(oauth.processRefreshTokenResponse(server, client, late));
expect(refused.error === "invalid_grant", "another refusal", refused);
did("revocation");

const asking = { audience: told.audience, prompt: "consent" };
const visitor = new Person();
const allowed = await code("openid email read:boats", asking, visitor);
expect(visitor.pages.join() === "/u/login,/u/consent", "other pages", visitor.pages);
expect((await called(allowed.access_token)).scope.split(" ").includes("read:boats"), "not allowed", allowed);
did("consent");
