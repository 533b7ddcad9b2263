// What pages do: the password is shown on demand, a form reaches another origin by a redirect, the
// keyboard walks in order, an answer by form_post or web_message arrives.
//
//     node forms.mjs '{"base": URL, "other": URL of another origin}'
import { finish, told, watched, withBrowser } from "./chromium.mjs";

const { base, other } = told();
const found = [];
const expect = (is, what) => {
  if (!is) found.push(what);
};

await withBrowser(async (browser) => {
  const context = await browser.newContext();
  const { page, complaints } = await watched(context);
  await page.goto(`${base}/screens/login`);
  expect((await page.evaluate(() => document.activeElement.id)) === "username", "focus is not on the name");
  await page.keyboard.type("ann");
  await page.keyboard.press("Tab");
  expect((await page.evaluate(() => document.activeElement.id)) === "password", "Tab does not reach the password");
  await page.keyboard.type("secret");
  await page.click(".ferry-reveal");
  expect((await page.getAttribute("#password", "type")) === "text", "the password is not shown");
  expect((await page.getAttribute(".ferry-reveal", "aria-pressed")) === "true", "the button does not say so");
  await page.click("form button[type=submit]");
  await page.waitForURL(`${other}/callback?username=ann&password=6&action=default&state=s`);

  await page.goto(`${base}/screens/form-post`);
  await page.waitForURL(`${other}/callback?code=c%3C&state=s`);

  await page.goto(`${other}/frame?of=${encodeURIComponent(`${base}/screens/web-message`)}`);
  await page.waitForFunction(() => document.title !== "");
  expect((await page.title()) === '{"type":"authorization_response","response":{"code":"<c>"}}', `heard ${await page.title()}`);
  // Nobody answers the script that offers passkeys here.
  found.push(...complaints.filter((line) => !line.includes("Failed to load resource")));
  await context.close();

  // Without scripts the same pages work by their buttons.
  const plain = await browser.newContext({ javaScriptEnabled: false });
  const without = await plain.newPage();
  await without.goto(`${base}/screens/login`);
  expect(!(await without.isVisible(".ferry-reveal")), "a button that does nothing is shown");
  await without.fill("#username", "ann");
  await without.fill("#password", "secret");
  await without.click("form button[type=submit]");
  await without.waitForURL(`${other}/callback?username=ann&password=6&action=default&state=s`);
  await without.goto(`${base}/screens/form-post`);
  await without.click("form button");
  await without.waitForURL(`${other}/callback?code=c%3C&state=s`);
});
finish(found);
