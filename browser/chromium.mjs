// Debian's Chromium, started for one test. What a page complains about is collected, not printed.
import { chromium } from "playwright-core";

/** Starts the browser, runs the test with it, and ends it whatever came of the test. */
export async function withBrowser(test) {
  const browser = await chromium.launch({
    executablePath: process.env.FERRY_CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
  });
  try {
    await test(browser);
  } finally {
    await browser.close();
  }
}

/** A page that remembers violations of its policy and errors of its scripts. */
export async function watched(context) {
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  return { page, complaints };
}

/** What the test was told on the command line. */
export const told = () => JSON.parse(process.argv[2] ?? "{}");

/** Fails the test with everything that was found. */
export function finish(found) {
  for (const line of found) console.error(line);
  process.exitCode = found.length > 0 ? 1 : 0;
}
