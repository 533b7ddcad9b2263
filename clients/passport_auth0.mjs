// passport-auth0 in an Express application: its README's routes.
import session from "express-session";
import passport from "passport";
import Auth0Strategy from "passport-auth0";
import { served } from "./application.mjs";
import { Person } from "./person.mjs";
import { did, expect, told } from "./told.mjs";

const { client_id, client_secret } = told.clients.web;
const domain = new URL(told.issuer).host;

await served(async (base, app) => {
  const strategy = new Auth0Strategy(
    { domain, clientID: client_id, clientSecret: client_secret, callbackURL: `${base}/callback`, state: true },
    (accessToken, refreshToken, extraParams, profile, done) => done(null, { ...profile, idToken: extraParams.id_token }),
  );
  passport.use(strategy);
  passport.serializeUser((user, done) => done(null, user));
  passport.deserializeUser((user, done) => done(null, user));
  app.use(session({ secret: "a secret of the application", resave: false, saveUninitialized: false }));
  app.use(passport.initialize(), passport.session());
  const scope = "openid email profile";
  app.get("/login", passport.authenticate("auth0", { scope }), () => {});
  app.get("/callback", passport.authenticate("auth0", { failureRedirect: "/failed" }), (request, answer) => answer.redirect("/profile"));
  app.get("/profile", (request, answer) => (request.isAuthenticated() ? answer.json(request.user) : answer.status(401).json({})));
  app.get("/failed", (request, answer) => answer.status(401).send("failed"));
  app.get("/logout", (request, answer, next) => {
    request.logout((error) => {
      if (error) return next(error);
      const out = new URL("v2/logout", told.issuer);
      out.search = new URLSearchParams({ client_id, returnTo: `${base}/bye` });
      answer.redirect(out.href);
    });
  });
  app.get("/bye", (request, answer) => answer.json({ bye: true }));
}, async (base) => {
  const person = new Person();
  const { url, html } = await person.visit(`${base}/login`);
  expect(url.href === `${base}/profile`, "the way ended elsewhere", url.href);
  const profile = JSON.parse(html);
  expect(profile.emails[0].value === told.person.username && profile.id.startsWith("auth0|"), "another profile", profile);
  expect(profile.provider === "auth0" && profile.idToken, "another profile", profile);
  did("login and profile");
  const again = await person.visit(`${base}/login`);
  expect(again.url.href === `${base}/profile`, "the way ended elsewhere", again.url.href);
  did("the session signs in again");
  const out = await person.visit(`${base}/logout`);
  expect(out.url.href === `${base}/bye`, "the way ended elsewhere", out.url.href);
  const asked = await person.visit(`${base}/login`, new URL("u/login", told.issuer).href);
  expect(asked.url.pathname === "/u/login", "nobody was asked", asked.url.href);
  did("logout");
});
