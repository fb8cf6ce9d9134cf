// Choosing rows, and asking the browser for a security key. Without it rows are chosen one by one, and digits serve.
"use strict";
(() => {
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (sign) => sign.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

  function wanted(asked) {
    const options = { ...asked.publicKey, challenge: bytes(asked.publicKey.challenge) };
    if (options.user) options.user = { ...options.user, id: bytes(options.user.id) };
    for (const name of ["excludeCredentials", "allowCredentials"]) {
      if (options[name]) options[name] = options[name].map((known) => ({ ...known, id: bytes(known.id) }));
    }
    return options;
  }

  async function ask(form) {
    const publicKey = wanted(JSON.parse(form.querySelector("script").textContent));
    const made = form.dataset.passkey === "create" ? await navigator.credentials.create({ publicKey }) : await navigator.credentials.get({ publicKey });
    const response = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (made.response[name]) response[name] = text(made.response[name]);
    }
    form.elements.answer.value = JSON.stringify({ id: made.id, rawId: text(made.rawId), type: made.type, response, clientExtensionResults: {} });
    form.submit();
  }

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const wrong = form.querySelector(".error");
      wrong.hidden = true;
      ask(form).catch(() => { wrong.hidden = false; });
    });
  }

  const list = document.querySelector("form.choosing");
  if (list) {
    const boxes = [...list.querySelectorAll("input[name=person]")], all = list.querySelector("[data-all]"), said = list.querySelector("[data-chosen]");
    const count = () => {
      const n = boxes.filter((box) => box.checked).length;
      said.textContent = n ? said.dataset.words.replace("{n}", n) : "";
      all.checked = n > 0 && n === boxes.length;
      all.indeterminate = n > 0 && n < boxes.length;
    };
    all.addEventListener("change", () => { for (const box of boxes) box.checked = all.checked; count(); });
    list.addEventListener("change", count);
    // On a slow line the tick for all is often set before this script has come: it is not lost.
    if (all.checked) for (const box of boxes) box.checked = true;
    count();
    document.addEventListener("keydown", (event) => {
      if (event.key !== "x" || event.target.matches("input, textarea, select")) return;
      const box = document.activeElement.closest("tr")?.querySelector("input[name=person]");
      if (box) { box.checked = !box.checked; count(); }
    });
  }
})();
