// Passkeys on the login pages. Served as a file of its own: the pages allow no inline script.
//
// A page marks the element that offers a passkey:
//   <form data-passkey="sign-in|challenge|enrollment|security-key" hidden> … <button> … <p data-problem hidden>
// with the fields `state` and `csrf` inside. Without this script, or in a browser without passkeys,
// the form stays hidden and the page works as it is. An input with autocomplete="… webauthn" on the
// same page makes the browser offer passkeys there (conditional UI).
(() => {
  "use strict";

  const fromBase64 = (text) => {
    const padded = text.replace(/-/g, "+").replace(/_/g, "/");
    return Uint8Array.from(atob(padded), (letter) => letter.charCodeAt(0));
  };

  const toBase64 = (buffer) => {
    if (!buffer) return undefined;
    const text = String.fromCharCode(...new Uint8Array(buffer));
    return btoa(text).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  };

  const decoded = (options) => {
    const withId = (item) => ({ ...item, id: fromBase64(item.id) });
    const result = { ...options, challenge: fromBase64(options.challenge) };
    if (options.user) result.user = withId(options.user);
    if (options.allowCredentials) result.allowCredentials = options.allowCredentials.map(withId);
    if (options.excludeCredentials) {
      result.excludeCredentials = options.excludeCredentials.map(withId);
    }
    return result;
  };

  const encoded = (credential) => {
    const response = credential.response;
    return {
      id: credential.id,
      rawId: toBase64(credential.rawId),
      type: credential.type,
      response: {
        clientDataJSON: toBase64(response.clientDataJSON),
        attestationObject: toBase64(response.attestationObject),
        authenticatorData: toBase64(response.authenticatorData),
        signature: toBase64(response.signature),
        userHandle: toBase64(response.userHandle),
        transports: response.getTransports ? response.getTransports() : undefined,
      },
    };
  };

  const post = async (form, path, more) => {
    const field = (name) => form.elements.namedItem(name)?.value;
    const answer = await fetch(path, {
      method: "POST",
      credentials: "same-origin",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ state: field("state"), csrf: field("csrf"), ...more }),
    });
    const body = await answer.json();
    if (!answer.ok) throw new Error(body.problem || "passkey-refused");
    return body;
  };

  // The answer names where the login goes on.
  const finish = async (form, path, credential) => {
    const answer = await post(form, path, { credential: encoded(credential) });
    if (answer.location) window.location.assign(answer.location);
  };

  const run = async (form, more) => {
    const path = `/u/passkey/${form.dataset.passkey}`;
    const { publicKey } = await post(form, `${path}/options`);
    const request = { publicKey: decoded(publicKey), ...more };
    const makes = ["enrollment", "security-key"].includes(form.dataset.passkey);
    const credential = makes
      ? await navigator.credentials.create(request)
      : await navigator.credentials.get(request);
    if (credential) await finish(form, path, credential);
  };

  const showProblem = (form) => {
    const place = form.querySelector("[data-problem]");
    if (place) place.hidden = false;
  };

  const offerInField = async (form, abort) => {
    const field = document.querySelector("input[autocomplete~=webauthn]");
    const canAsk = window.PublicKeyCredential.isConditionalMediationAvailable;
    if (!field || !canAsk || !(await canAsk.call(window.PublicKeyCredential))) return;
    await run(form, { mediation: "conditional", signal: abort.signal });
  };

  const start = (form) => {
    const abort = new AbortController();
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      abort.abort();
      run(form).catch(() => showProblem(form));
    });
    // Nobody asked for this one: what goes wrong with it stays silent.
    if (form.dataset.passkey === "sign-in") offerInField(form, abort).catch(() => {});
  };

  if (window.PublicKeyCredential && navigator.credentials) {
    document.querySelectorAll("form[data-passkey]").forEach(start);
  }
})();
