// Whole logins: each walk has a browser of its own, goes from /authorize to the application, and asks
// axe about every page on its way. Says which walks it walked.
//
//     node walks.mjs '{"base": URL, "app": URL, "shop": CLIENT, "partner": CLIENT, ...}'
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { finish, told, watched, withBrowser } from "./chromium.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const { base, app, shop, partner, television, lazy, forgetful, secret, recovery, pictures } = told();
const found = [];

const authorize = (connection, more = {}, client = shop) => {
  const parameters = {
    client_id: client.id, redirect_uri: `${app}/cb`, response_type: "code", scope: "openid email",
    state: "s", nonce: "n", connection, ...more,
  };
  return `${base}/authorize?${new URLSearchParams(parameters)}`;
};

/** A person with a browser of their own, on their way. */
class Walker {
  constructor(name, page, complaints) {
    Object.assign(this, { name, page, complaints, pages: 0 });
  }

  expect(is, what) {
    if (!is) found.push(`${this.name}: ${what} (${this.page.url()})`);
  }

  /** Goes somewhere and looks around. */
  async visit(url) {
    await this.page.goto(url);
    await this.look();
  }

  /** What axe says of the page that is shown, and a picture when one is wanted. */
  async look() {
    if (!this.page.url().startsWith(base)) return;
    await this.page.evaluate(axe);
    const { violations } = await this.page.evaluate((values) => window.axe.run(document, { runOnly: values }), tags);
    for (const { id, nodes } of violations) this.expect(false, `${id}: ${nodes.map((n) => n.html).join(" | ")}`);
    this.pages += 1;
    if (pictures && this.pages === 2) await this.page.screenshot({ path: `${pictures}/walk-${this.name.replaceAll(" ", "-")}.png` });
  }

  async fill(fields) {
    for (const [name, value] of Object.entries(fields)) await this.page.fill(`#${name}`, value);
  }

  /** Sends the form by its first button, or by the one that is named. */
  async send(button = "main form button[type=submit]:visible:not(.ferry-reveal)") {
    await Promise.all([this.page.waitForNavigation(), this.page.locator(button).first().click()]);
    await this.look();
  }

  async logIn(username, password) {
    await this.fill({ username, password });
    await this.send();
  }

  /** Sees that the application got a code, which gives an ID token of this person. */
  async arrived(email, client = shop) {
    const url = new URL(this.page.url());
    this.expect(url.href.startsWith(`${app}/cb?`) && url.searchParams.has("code"), "no code arrived");
    const body = new URLSearchParams({
      grant_type: "authorization_code", code: url.searchParams.get("code"), redirect_uri: `${app}/cb`,
      client_id: client.id, client_secret: client.secret,
    });
    const answer = await fetch(`${base}/oauth/token`, { method: "POST", body });
    const tokens = await answer.json();
    const claims = JSON.parse(Buffer.from((tokens.id_token ?? "..").split(".")[1], "base64url") || "{}");
    this.expect(claims.email === email, `${claims.email} instead of ${email}: ${JSON.stringify(tokens).slice(0, 200)}`);
    return { ...tokens, claims };
  }

  async shows(text) {
    const body = await this.page.textContent("main");
    this.expect(body.includes(text), `"${text}" is not shown but: ${body.replace(/\s+/g, " ").slice(0, 300)}`);
  }
}

/** A code of RFC 6238 for a time, in milliseconds. */
function oneTimeCode(at) {
  const bits = [...secret].map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)));
  const hash = createHmac("sha1", key).update(counter).digest();
  const number = hash.readUInt32BE(hash.at(-1) & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}

const walks = {
  async "lazy migration"(walker) {
    await walker.visit(authorize("django"));
    await walker.logIn(lazy.email, lazy.password);
    await walker.arrived(lazy.email);
    // The session answers for the second time; nobody is asked.
    await walker.page.goto(authorize("django"));
    await walker.arrived(lazy.email);
  },

  async "wrong password"(walker) {
    await walker.visit(authorize("people"));
    await walker.logIn("ann@example.com", "not hers");
    await walker.shows("Wrong");
    walker.expect((await walker.page.inputValue("#username")) === "ann@example.com", "the name is gone");
    walker.expect((await walker.page.inputValue("#password")) === "", "the password came back");
    await walker.logIn("nobody@example.com", "not hers");
    await walker.shows("Wrong");
    await walker.logIn("ann@example.com", "Her password 1");
    await walker.arrived("ann@example.com");
  },

  async "outage page"(walker) {
    await walker.visit(authorize("down"));
    const answer = walker.page.waitForResponse((response) => response.request().method() === "POST");
    await walker.logIn("ann@example.com", "whatever");
    walker.expect((await answer).status() === 503, "the status is not 503");
    const text = await walker.page.textContent("main");
    walker.expect(!text.includes("Wrong"), `an outage is called a wrong password: ${text}`);
    walker.expect(await walker.page.isVisible("#password"), "nobody can try again");
  },

  async "sign-up"(walker) {
    await walker.visit(authorize("people", { screen_hint: "signup" }));
    await walker.fill({ email: "new@example.com", password: "A good password 1" });
    await walker.send();
    await walker.arrived("new@example.com");
  },

  async "reset for a legacy-only user"(walker) {
    await walker.visit(authorize("django"));
    await walker.send("a[href*='/u/reset-password/']");
    await walker.fill({ email: forgetful.email });
    await walker.send();
    const mail = await (await fetch(`${app}/mail/${forgetful.email}`)).text();
    const link = mail.match(/href="([^"]+)"[^>]*>/)?.[1]?.replaceAll("&amp;", "&");
    walker.expect(link?.startsWith(base), `no link: ${mail.slice(0, 300)}`);
    await walker.visit(link);
    await walker.fill({ newPassword: "A new password 1", confirmNewPassword: "A new password 1" });
    await walker.send();
    await walker.visit(authorize("django", { prompt: "login" }));
    await walker.logIn(forgetful.email, forgetful.password);
    await walker.shows("Wrong");
    await walker.logIn(forgetful.email, "A new password 1");
    await walker.arrived(forgetful.email);
  },

  async "imported one-time codes"(walker) {
    await walker.visit(authorize("moved"));
    await walker.logIn("otto@example.com", "right");
    await walker.fill({ code: "000000" });
    await walker.send();
    await walker.shows("not right");
    await walker.fill({ code: oneTimeCode(Date.now()) });
    await walker.send();
    const { claims } = await walker.arrived("otto@example.com");
    walker.expect(claims.amr?.includes("mfa"), `amr is ${claims.amr}`);
    // The session knows of the factor.
    await walker.page.goto(authorize("moved"));
    await walker.arrived("otto@example.com");
  },

  async "recovery code"(walker) {
    await walker.visit(authorize("moved"));
    await walker.logIn("rita@example.com", "right");
    await walker.send("a[href*='mfa-login-options']");
    await walker.send("a[href*='recovery-code']");
    await walker.fill({ code: "WRONGWRONGWRONGWRONGWRON" });
    await walker.send();
    await walker.shows("not right");
    await walker.fill({ code: recovery });
    await walker.send();
    // The one that replaces it is shown once, and the login waits until it is kept.
    const next = await walker.page.textContent("code.ferry-code");
    walker.expect(/^[A-Z0-9]{24}$/.test(next) && next !== recovery, `the next code is ${next}`);
    await walker.page.check("#saved");
    await walker.send();
    await walker.arrived("rita@example.com");
  },

  async passkey(walker) {
    const session = await walker.page.context().newCDPSession(walker.page);
    await session.send("WebAuthn.enable");
    await session.send("WebAuthn.addVirtualAuthenticator", {
      options: {
        protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true,
        isUserVerified: true, automaticPresenceSimulation: true,
      },
    });
    await walker.visit(authorize("keys"));
    await walker.logIn("keys@example.com", "Her password 1");
    await walker.shows("passkey");
    await walker.send("form[data-passkey=enrollment] button");
    await walker.arrived("keys@example.com");
    await walker.page.context().clearCookies();
    // The browser offers the passkey in the name field by itself, and this authenticator takes it at
    // once; else there is the button.
    await walker.page.goto(authorize("keys", { prompt: "login" }));
    const button = walker.page.locator("form[data-passkey=sign-in] button");
    await button.click({ timeout: 5000 }).catch(() => {});
    await walker.page.waitForURL(`${app}/cb?**`);
    const { claims } = await walker.arrived("keys@example.com");
    walker.expect(claims.amr?.includes("phr"), `amr is ${claims.amr}`);
  },

  async "security key"(walker) {
    const session = await walker.page.context().newCDPSession(walker.page);
    await session.send("WebAuthn.enable");
    await session.send("WebAuthn.addVirtualAuthenticator", {
      options: {
        protocol: "ctap2", transport: "usb", hasResidentKey: false, hasUserVerification: false,
        automaticPresenceSimulation: true,
      },
    });
    // The application asks for a second factor. An authenticator application is offered first.
    const acr_values = "http://schemas.openid.net/pape/policies/2007/06/multi-factor";
    await walker.visit(authorize("people", { acr_values }));
    await walker.logIn("stick@example.com", "Her password 1");
    await walker.send("a[href*='mfa-login-options']");
    await walker.send("a[href*='webauthn-roaming-enrollment']");
    await walker.send("form[data-passkey=security-key] button");
    const { claims } = await walker.arrived("stick@example.com");
    walker.expect(claims.amr?.includes("phr"), `amr is ${claims.amr}`);
    await walker.page.context().clearCookies();
    await walker.visit(authorize("people"));
    await walker.logIn("stick@example.com", "Her password 1");
    await walker.send("form[data-passkey=challenge] button");
    await walker.arrived("stick@example.com");
  },

  async consent(walker) {
    await walker.visit(authorize("people", {}, partner));
    await walker.logIn("ann@example.com", "Her password 1");
    await walker.shows("partner");
    await walker.send("button[value=deny]");
    walker.expect(walker.page.url().includes("error=access_denied"), "no refusal arrived");
    // No session began: who declines has given nothing.
    await walker.visit(authorize("people", {}, partner));
    await walker.logIn("ann@example.com", "Her password 1");
    await walker.send("button[value=accept]");
    await walker.arrived("ann@example.com", partner);
    await walker.page.goto(authorize("people", {}, partner));
    await walker.arrived("ann@example.com", partner);
  },

  async device(walker) {
    const post = async (path, members) => {
      const body = new URLSearchParams({ client_id: television.id, client_secret: television.secret, ...members });
      return (await fetch(`${base}${path}`, { method: "POST", body })).json();
    };
    const poll = (device_code) =>
      post("/oauth/token", { grant_type: "urn:ietf:params:oauth:grant-type:device_code", device_code });
    const device = await post("/oauth/device/code", { scope: "openid email" });
    await walker.visit(device.verification_uri);
    await walker.fill({ user_code: "BCDF-GHJK" });
    await walker.send();
    walker.expect(await walker.page.isVisible("#user_code"), "a code that nobody gave is taken");
    await walker.fill({ user_code: device.user_code });
    await walker.send();
    await walker.logIn("ann@example.com", "Her password 1");
    // The person sees which device it is, and says so.
    await walker.shows(device.user_code);
    await walker.send("button[value=confirm]");
    await walker.shows("Device connected");
    const tokens = await poll(device.device_code);
    walker.expect(Boolean(tokens.access_token), `no tokens: ${JSON.stringify(tokens)}`);
    // Another device, which the person knows nothing of; the address fills its code in.
    const other = await post("/oauth/device/code", { scope: "openid" });
    await walker.visit(other.verification_uri_complete);
    walker.expect((await walker.page.inputValue("#user_code")) === other.user_code, "the code is not filled in");
    await walker.send();
    await walker.send("button[value=cancel]");
    await walker.shows("Device not connected");
    walker.expect((await poll(other.device_code)).error === "access_denied", "a refusal is not told");
  },

  async logout(walker) {
    await walker.visit(authorize("people"));
    await walker.logIn("ann@example.com", "Her password 1");
    const { id_token } = await walker.arrived("ann@example.com");
    // Without a hint the person is asked.
    await walker.visit(`${base}/oidc/logout?${new URLSearchParams({ client_id: shop.id, post_logout_redirect_uri: `${app}/left` })}`);
    walker.expect(await walker.page.isVisible("main form button"), "nobody is asked");
    const parameters = { id_token_hint: id_token, post_logout_redirect_uri: `${app}/left`, state: "bye" };
    await walker.page.goto(`${base}/oidc/logout?${new URLSearchParams(parameters)}`);
    walker.expect(walker.page.url() === `${app}/left?state=bye`, "the browser did not come back");
    await walker.visit(authorize("people"));
    walker.expect(await walker.page.isVisible("#password"), "the session goes on");
  },
};

await withBrowser(async (browser) => {
  for (const [name, walk] of Object.entries(walks)) {
    const context = await browser.newContext();
    context.setDefaultTimeout(15_000);
    const { page, complaints } = await watched(context);
    const walker = new Walker(name, page, complaints);
    try {
      await walk(walker);
      // A page that tells of a failure has a failing status, which the console mentions.
      const said = complaints.filter((line) => !line.includes("Failed to load resource"));
      for (const line of said) walker.expect(false, line);
      console.log(name);
    } catch (error) {
      found.push(`${name}: ${error.message} at ${page.url()}\n${await page.textContent("body").catch(() => "")}`);
    }
    await context.close();
  }
});
finish(found);
