// A person with a browser that knows no scripts: follows redirects, keeps cookies, fills in forms.
import { expect, told } from "./told.mjs";

const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'", "#x27": "'", "#x2f": "/", "#x2F": "/" };
const decoded = (text) => text.replace(/&([#\w]+);/g, (whole, name) => ENTITIES[name] ?? whole);

export class Person {
  #jar = new Map();

  /** The pages whose forms they filled in. */
  pages = [];

  constructor(known = told.person) {
    this.known = known;
  }

  /** Goes to a URL and on, until a redirect leads to `until` or a page asks for nothing. */
  async visit(start, until) {
    let url = new URL(start);
    let answer = await this.#send(url);
    for (let hops = 0; hops < 25; hops++) {
      const location = answer.headers.get("location");
      if (location) {
        url = new URL(location, url);
        if (until && url.href.startsWith(until)) return { url };
        answer = await this.#send(url);
        continue;
      }
      const html = await answer.text();
      expect(answer.status < 400, "a page refuses", url.pathname, answer.status, texts(html));
      const form = answer.headers.get("content-type")?.includes("html") && this.#filled(html);
      if (!form) return { url, html };
      this.pages.push(url.pathname);
      url = new URL(form.action || url, url);
      // The answer of a form that posts itself.
      if (until && url.href.startsWith(until)) return { url, fields: form.fields };
      answer = await this.#send(url, form);
    }
    throw new Error(`no end of redirects: ${url}`);
  }

  /** Signs in, or is signed in already; gives the URL by which the client is told. */
  async signIn(start, callback = told.callback) {
    const { url } = await this.visit(start, callback);
    expect(url.href.startsWith(callback), "the way ended elsewhere", url.href);
    return url;
  }

  #filled(html) {
    const [, head, inside] = /<form([^>]*)>([\s\S]*?)<\/form>/.exec(html) ?? [];
    if (inside === undefined) return null;
    const fields = new URLSearchParams();
    for (const [tag] of inside.matchAll(/<input[^>]*>/g)) {
      const name = attribute(tag, "name");
      if (name) fields.set(name, this.known[name] ?? attribute(tag, "value") ?? "");
    }
    const buttons = [...inside.matchAll(/<button[^>]*>/g)].map(([tag]) => tag);
    const button = buttons.find((tag) => attribute(tag, "name"));
    if (button) fields.set(attribute(button, "name"), attribute(button, "value") ?? "");
    return { action: attribute(head, "action"), fields };
  }

  async #send(url, form) {
    const kept = [...this.#jar.values()].filter(
      (cookie) => cookie.host === url.hostname && (!cookie.secure || url.protocol === "https:"),
    );
    const headers = { accept: "text/html", "accept-language": "en" };
    if (kept.length) headers.cookie = kept.map(({ name, value }) => `${name}=${value}`).join("; ");
    if (form) headers["sec-fetch-site"] = "same-origin";
    const answer = await fetch(url, {
      method: form ? "POST" : "GET",
      body: form?.fields,
      headers,
      redirect: "manual",
    });
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      const gone = /max-age=0|expires=thu, 01 jan 1970/i.test(line);
      if (gone) this.#jar.delete(name);
      else this.#jar.set(name, { name, value, host: url.hostname, secure: /;\s*secure/i.test(line) });
    }
    return answer;
  }
}

function attribute(tag, name) {
  const found = new RegExp(`\\s${name}="([^"]*)"`).exec(tag);
  return found ? decoded(found[1]) : undefined;
}

const texts = (html) => html.replace(/<style[\s\S]*?<\/style>|<[^>]*>/g, " ").replace(/\s+/g, " ").slice(0, 600);
