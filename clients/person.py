"""A person with a browser that knows no scripts: follows redirects, keeps cookies, fills in forms."""

import html
import json
import re
import sys
from urllib.parse import urljoin

import requests

told = json.loads(sys.argv[1])


def did(step):
    """A step is done and was as it should be: the test compares these lines."""
    print(step, flush=True)


def expect(holds, what, *seen):
    """Ends the script unless something holds."""
    if not holds:
        raise AssertionError(f"{what}: {seen}")


class Person:
    def __init__(self):
        self.browser = requests.Session()

    def sign_in(self, start, callback=None):
        """Signs in, or is signed in already; gives the URL by which the client is told."""
        callback = callback or told["callback"]
        answer, url = self._send("GET", start), start
        for _ in range(25):
            if "location" in answer.headers:
                url = urljoin(url, answer.headers["location"])
                if url.startswith(callback):
                    return url
                answer = self._send("GET", url)
                continue
            expect(answer.status_code < 400, "a page refuses", url, answer.status_code, answer.text[:600])
            action, fields = self._filled(answer.text, url)
            answer, url = self._send("POST", action, fields), action
        raise AssertionError(f"no end of redirects: {url}")

    def _send(self, method, url, fields=None):
        headers = {"accept": "text/html", "sec-fetch-site": "same-origin"}
        return self.browser.request(method, url, data=fields, headers=headers, allow_redirects=False, timeout=20)

    def _filled(self, page, url):
        form = re.search(r"<form([^>]*)>(.*?)</form>", page, re.DOTALL)
        expect(form, "a page without a form", url, page[:600])
        fields = {}
        for tag in re.findall(r"<input[^>]*>", form[2]):
            if name := attribute(tag, "name"):
                fields[name] = told["person"].get(name, attribute(tag, "value") or "")
        named = [tag for tag in re.findall(r"<button[^>]*>", form[2]) if attribute(tag, "name")]
        if named:
            fields[attribute(named[0], "name")] = attribute(named[0], "value") or ""
        return urljoin(url, attribute(form[1], "action") or url), fields


def attribute(tag, name):
    found = re.search(rf'\s{name}="([^"]*)"', tag)
    return html.unescape(found[1]) if found else None
