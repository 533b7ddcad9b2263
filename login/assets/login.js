// What makes the pages nicer where scripts run. Every page works without.
"use strict";

for (const button of document.querySelectorAll(".ferry-reveal")) {
  const input = document.getElementById(button.getAttribute("aria-controls"));
  button.hidden = false;
  button.addEventListener("click", () => {
    const shows = input.type === "password";
    input.type = shows ? "text" : "password";
    button.setAttribute("aria-pressed", String(shows));
  });
}

// A password that is shown must not be remembered as a plain text. A form is sent once.
for (const form of document.querySelectorAll("form")) {
  let sent = false;
  form.addEventListener("submit", (event) => {
    if (sent) {
      event.preventDefault();
      return;
    }
    sent = true;
    for (const button of form.querySelectorAll(".ferry-reveal")) {
      document.getElementById(button.getAttribute("aria-controls")).type = "password";
    }
  });
  // The back button brings the page as it was left.
  window.addEventListener("pageshow", () => {
    sent = false;
  });
}

const automatic = document.querySelector("form[data-submit]");
if (automatic) automatic.submit();
