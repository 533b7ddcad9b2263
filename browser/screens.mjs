// Every screen: axe finds nothing, nothing overflows, nothing violates the policy; in light and dark,
// wide and 320 pixels narrow, from left to right and from right to left.
//
//     node screens.mjs '{"base": URL, "screens": [NAME], "pictures": which of which, or null, "only": [LOOK] or nothing}'
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { finish, told, watched, withBrowser } from "./chromium.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const { base, screens, pictures, only } = told();
const found = [];

/** What axe and the layout complain about on the page that is shown. */
async function complaintsAbout(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate((values) => window.axe.run(document, { runOnly: values }), tags);
  const lines = violations.map((v) => `${v.id}: ${v.nodes.map((n) => `${n.html} ${n.failureSummary}`).join(" | ")}`);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  if (wide > 0) lines.push(`overflows by ${wide} pixels`);
  const small = await page.evaluate(() =>
    [...document.querySelectorAll("a, button, input:not([type=hidden]), summary")]
      .filter((element) => element.checkVisibility() && element.tabIndex >= 0)
      .filter((element) => !element.matches(".ferry-who input"))
      .map((element) => [element.outerHTML.slice(0, 80), element.getBoundingClientRect()])
      .filter(([, box]) => box.width < 24 || box.height < 24)
      .map(([html, box]) => `target of ${Math.round(box.width)} x ${Math.round(box.height)}: ${html}`),
  );
  return [...lines, ...small];
}

// Every pair of scheme, width and direction is met.
const looks = [
  { name: "light", colorScheme: "light", width: 1280, language: "en" },
  { name: "rtl", colorScheme: "dark", width: 1280, language: "ar-XB" },
  { name: "phone", colorScheme: "dark", width: 320, language: "de" },
  { name: "rtl-phone", colorScheme: "light", width: 320, language: "ar-XB" },
];

/** All screens of a look on one picture, to be looked at. */
async function sheet(browser, { name, width }, shots) {
  const shown = width < 600 ? 200 : 320;
  const figures = shots.map(([screen, shot]) =>
    `<figure><img src="data:image/png;base64,${shot.toString("base64")}" width="${shown}"><figcaption>${screen}</figcaption></figure>`,
  );
  const page = await browser.newPage({ viewport: { width: 1344, height: 800 } });
  await page.setContent(`<style>
    body { display: flex; flex-wrap: wrap; gap: 12px; margin: 8px; background: #888; font: 12px sans-serif }
    figure { margin: 0 } img { display: block }
  </style>${figures.join("")}`);
  await page.screenshot({ path: `${pictures.folder}/all-${name}.png`, fullPage: true });
  await page.close();
}

await withBrowser(async (browser) => {
  for (const look of looks.filter(({ name }) => !only || only.includes(name))) {
    const viewport = { width: look.width, height: look.width < 600 ? 640 : 800 };
    const context = await browser.newContext({ colorScheme: look.colorScheme, viewport });
    const { page, complaints } = await watched(context);
    const shots = [];
    for (const screen of screens) {
      const answer = await page.goto(`${base}/screens/${screen}?lang=${look.language}`);
      const lines = await complaintsAbout(page);
      // A page that tells of a failure has a failing status, which the console mentions.
      const said = complaints.splice(0).filter((line) => !line.includes("Failed to load resource"));
      if (!answer) lines.push("no answer");
      found.push(...[...lines, ...said].map((line) => `${screen} (${look.name}): ${line}`));
      if (pictures?.[screen]?.includes(look.name)) {
        await page.screenshot({ path: `${pictures.folder}/${screen}-${look.name}.png` });
      }
      if (pictures) shots.push([screen, await page.screenshot()]);
    }
    if (pictures) await sheet(browser, look, shots);
    await context.close();
  }
});
finish(found);
