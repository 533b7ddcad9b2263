// auth0-spa-js in Chromium: the application's page has another origin than Ferry.
import { createReadStream } from "node:fs";
import { createRequire } from "node:module";
import { watched, withBrowser } from "../browser/chromium.mjs";
import { served } from "./application.mjs";
import { did, expect, told } from "./told.mjs";

const require = createRequire(import.meta.url);
const library = require.resolve("@auth0/auth0-spa-js/dist/auth0-spa-js.production.js");
const { client_id: clientId } = told.clients.spa;
const domain = new URL(told.issuer).host;

const furnish = (base, app) => {
  app.get("/auth0-spa-js.production.js", (request, answer) => createReadStream(library).pipe(answer.type("js")));
  app.get(["/", "/bye"], (request, answer) => answer.sendFile(new URL("spa.html", import.meta.url).pathname));
};

/** A page of the application with a new client in it: what it kept in memory is gone. */
async function opened(page, base, options, search = "") {
  await page.goto(`${base}/${search}`);
  const settings = { domain, clientId, ...options };
  await page.evaluate((settings) => (window.client = new auth0.Auth0Client(settings)), settings);
}

/** What a call in the page came to. */
const called = (page, name, ...given) =>
  page.evaluate(
    ([name, given]) =>
      window.client[name](...given).then(
        (value) => ({ value }),
        (error) => ({ error: error.error ?? String(error), description: error.error_description }),
      ),
    [name, given],
  );

/** By the login page and back; the library takes the code from its page's URL. */
async function signedIn(page, base, options) {
  await opened(page, base, options);
  // The page leaves while the call is under way.
  await Promise.all([page.waitForURL(`${told.issuer}u/login**`), page.evaluate(() => void window.client.loginWithRedirect())]);
  await page.fill("input[name=username]", told.person.username);
  await page.fill("input[name=password]", told.person.password);
  await Promise.all([page.waitForURL(`${base}/?code=**`), page.click("form button[type=submit]")]);
  await opened(page, base, options, new URL(page.url()).search);
  const { error, description } = await called(page, "handleRedirectCallback");
  expect(!error, "the callback was refused", error, description);
  const { value: user } = await called(page, "getUser");
  expect(user?.email === told.person.username, "another person", user);
}

/** The requests that a call in the page led to, as `METHOD path …`; what only makes a page work aside. */
async function during(page, call) {
  const requests = [];
  const note = (request) => {
    const url = new URL(request.url());
    if (url.pathname.startsWith("/assets/")) return;
    const kind = url.searchParams.get("response_mode") ?? new URLSearchParams(request.postData() ?? "").get("grant_type");
    requests.push(`${request.method()} ${url.pathname} ${kind ?? ""}`.trim());
  };
  page.on("request", note);
  const answer = await call();
  page.off("request", note);
  return { ...answer, requests };
}

async function loggedOut(page, base, options) {
  await page.evaluate((returnTo) => void window.client.logout({ logoutParams: { returnTo } }), `${base}/bye`);
  await page.waitForURL(`${base}/bye`);
  await opened(page, base, options);
  const { error } = await called(page, "getTokenSilently");
  return error;
}

/** The status of a refusal, if the page may read it, else the error that its call came to. */
const read = (page) =>
  page.evaluate(
    ([url, client_id]) => {
      const body = new URLSearchParams({ grant_type: "refresh_token", refresh_token: "x", client_id });
      return fetch(url, { method: "POST", body }).then(
        ({ status }) => status,
        (error) => error.name,
      );
    },
    [`${told.issuer}oauth/token`, clientId],
  );

await withBrowser(async (browser) => {
  await served(furnish, async (base) => {
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    const { page, complaints } = await watched(context);
    const params = { redirect_uri: `${base}/`, scope: "openid profile email" };

    const plain = { authorizationParams: params };
    await signedIn(page, base, plain);
    did("login");
    // Nothing is left in memory: a hidden frame asks Ferry, whose session answers by a message.
    await opened(page, base, plain);
    const silent = await during(page, () => called(page, "getTokenSilently", { detailedResponse: true }));
    expect(silent.value?.id_token, "no tokens", silent);
    expect(silent.requests.join() === "GET /authorize web_message,POST /oauth/token authorization_code", "another way", silent.requests);
    const { value: user } = await called(page, "getUser");
    expect(user?.email === told.person.username, "another person", user);
    did("silent renewal in a frame");
    expect((await loggedOut(page, base, plain)) === "login_required", "still signed in");
    did("logout");

    const kept = { authorizationParams: params, useRefreshTokens: true, cacheLocation: "localstorage" };
    await signedIn(page, base, kept);
    for (let time = 0; time < 2; time++) {
      await opened(page, base, kept);
      const renewed = await during(page, () => called(page, "getTokenSilently", { cacheMode: "off", detailedResponse: true }));
      expect(renewed.value?.access_token, "no tokens", renewed);
      expect(renewed.requests.join() === "POST /oauth/token refresh_token", "another way", renewed.requests);
    }
    did("renewal by rotating refresh tokens");
    expect((await loggedOut(page, base, kept)) === "missing_refresh_token", "tokens are left");
    await opened(page, base, plain);
    expect((await called(page, "getTokenSilently")).error === "login_required", "still signed in");
    did("logout takes the tokens");

    const bound = { ...plain, useDpop: true };
    await signedIn(page, base, bound);
    const { value: proof } = await page.evaluate(async (url) => {
      const token = await window.client.getTokenSilently();
      const nonce = await window.client.getDpopNonce();
      const dpop = await window.client.generateDpopProof({ url, method: "GET", accessToken: token, nonce });
      const answer = await fetch(url, { headers: { authorization: `DPoP ${token}`, dpop } });
      return { value: await answer.json() };
    }, `${told.issuer}userinfo`);
    expect(proof.email === told.person.username, "another person", proof);
    did("login with DPoP");
    expect(complaints.length === 0, "the browser complains", complaints);

    // The same page at an origin that the client does not name.
    const stranger = await context.newPage();
    await opened(stranger, base.replace("localhost", "127.0.0.1"), plain);
    expect((await read(page)) === 403 && (await read(stranger)) === "TypeError", "a stranger read the answer");
    did("a stranger's page reads nothing");
  }, told.clients.spa);
});
