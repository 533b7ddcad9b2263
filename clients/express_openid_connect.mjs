// express-openid-connect: as its quick start has it, and with a code and refresh tokens.
import { auth } from "express-openid-connect";
import { Router } from "express";
import { served } from "./application.mjs";
import { Person } from "./person.mjs";
import { did, expect, told } from "./told.mjs";

const { client_id: clientID, client_secret: clientSecret } = told.clients.web;
const secret = "a long secret of the application, for its cookie";
const common = { authRequired: false, clientID, issuerBaseURL: told.issuer, secret };

/** The application's own pages. */
function pages() {
  const router = Router();
  router.get("/profile", async (request, answer) => {
    if (!request.oidc.isAuthenticated()) return answer.status(401).json({});
    answer.json({ user: request.oidc.user, refresh: Boolean(request.oidc.refreshToken) });
  });
  router.get("/person", async (request, answer) => answer.json(await request.oidc.fetchUserInfo()));
  router.get("/renew", async (request, answer) => {
    const before = request.oidc.accessToken.access_token;
    const { access_token } = await request.oidc.accessToken.refresh();
    answer.json({ renewed: access_token !== before });
  });
  return router;
}

/** Signs in; gives the person and what the application knows of them. */
async function signedIn(base) {
  const person = new Person();
  await person.visit(`${base}/login`);
  const { html } = await person.visit(`${base}/profile`);
  const { user, refresh } = JSON.parse(html);
  expect(user.email === told.person.username, "another profile", user);
  return { person, refresh };
}

/** Signs out; afterwards neither the application nor Ferry knows anybody. */
async function signedOut(base, person) {
  const { url } = await person.visit(`${base}/logout`);
  expect(url.href === `${base}/`, "the way ended elsewhere", url.href);
  const asked = await person.visit(`${base}/login`, new URL("u/login", told.issuer).href);
  expect(asked.url.pathname === "/u/login", "nobody was asked", asked.url.href);
}

await served(
  (base, app) => {
    // An ID token by form_post is this library's default; it wants the implicit grant.
    app.use(auth({ ...common, baseURL: base, idpLogout: true }));
    app.get("/", (request, answer) => answer.json({ home: true }));
    app.use(pages());
  },
  async (base) => {
    const { person } = await signedIn(base);
    did("an ID token by form_post: login and profile");
    await signedOut(base, person);
    did("an ID token by form_post: logout");
  },
);

await served(
  (base, app) => {
    const authorizationParams = { response_type: "code", scope: "openid profile email offline_access" };
    app.use(auth({ ...common, baseURL: base, clientSecret, authorizationParams, idpLogout: true, auth0Logout: true }));
    app.get("/", (request, answer) => answer.json({ home: true }));
    app.use(pages());
  },
  async (base) => {
    const { person, refresh } = await signedIn(base);
    expect(refresh, "no refresh token");
    did("a code: login and profile");
    const { html: seen } = await person.visit(`${base}/person`);
    expect(JSON.parse(seen).email === told.person.username, "another person", seen);
    const { html: renewed } = await person.visit(`${base}/renew`);
    expect(JSON.parse(renewed).renewed, "not renewed", renewed);
    did("a code: userinfo and refresh");
    await signedOut(base, person);
    did("a code: logout");
  },
);
