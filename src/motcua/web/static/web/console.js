// Keys, text size, contrast and copying. Every page works without it. Loaded before the page is drawn, so that the
// chosen size and contrast do not flash.
"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  const kept = {
    get(name) { try { return localStorage.getItem(name); } catch { return null; } },
    set(name, value) { try { localStorage.setItem(name, value); } catch { /* private window: for this page only */ } },
  };

  function apply(size, contrast) {
    root.classList.toggle("s90", size === "90");
    root.classList.toggle("s120", size === "120");
    root.classList.toggle("contrast", contrast === "1");
    for (const button of document.querySelectorAll("[data-contrast]")) button.setAttribute("aria-pressed", String(contrast === "1"));
    for (const button of document.querySelectorAll("[data-size]")) button.setAttribute("aria-pressed", String(button.dataset.size === (size || "100")));
  }
  let size = kept.get("size"), contrast = kept.get("contrast");
  apply(size, contrast);

  document.addEventListener("DOMContentLoaded", () => { apply(size, contrast); for (const field of document.querySelectorAll("input[type=file]")) inOurWords(field); });

  // The browser labels a file field in its own language: ours lies over it, the field itself stays and does the work.
  function inOurWords(field) {
    const whole = document.createElement("span"), button = document.createElement("span"), name = document.createElement("span");
    whole.className = "file"; button.className = "button"; name.className = "file-name";
    for (const shown of [button, name]) shown.setAttribute("aria-hidden", "true");
    button.textContent = root.dataset.chooseFile;
    const tell = () => { name.textContent = [...field.files].map((file) => file.name).join(", ") || root.dataset.noFile; };
    field.replaceWith(whole);
    whole.append(button, name, field);
    field.addEventListener("change", tell);
    tell();
  }
  document.addEventListener("change", (event) => {
    // A finger chooses once; arrow keys pass over every choice, so at a keyboard the button decides.
    if (event.target.matches(".filters select") && matchMedia("(pointer: coarse)").matches) event.target.form.requestSubmit();
  });
  document.addEventListener("submit", (event) => {
    // Empty choices stay out of the address.
    if (event.target.matches(".filters")) for (const field of event.target.elements) if (field.name && !field.value && field.name !== "key") field.disabled = true;
  });
  window.addEventListener("pageshow", () => { for (const field of document.querySelectorAll(".filters :disabled")) field.disabled = false; });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    const menu = document.querySelector(".menu[open]");
    for (const open of document.querySelectorAll(".menu[open], .nav-group[open]")) if (!open.contains(event.target)) open.open = false;
    if (!button) return;
    if (button.dataset.size) { size = button.dataset.size; kept.set("size", size); apply(size, contrast); }
    if ("contrast" in button.dataset) { contrast = contrast === "1" ? "0" : "1"; kept.set("contrast", contrast); apply(size, contrast); }
    if ("keys" in button.dataset) { if (menu) menu.open = false; document.getElementById("keys").showModal(); }
    if ("print" in button.dataset) window.print();
    if (button.dataset.copy) copy(button);
  });

  async function copy(button) {
    let said = root.dataset.copied;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
    } catch {
      said = root.dataset.notCopied;
    }
    document.getElementById("said").textContent = said;
    const icon = button.classList.contains("copy-code"), before = button.textContent;
    if (icon) { button.classList.toggle("copied", said === root.dataset.copied); button.title = said; } else button.textContent = said;
    setTimeout(() => { if (icon) button.classList.remove("copied"); else button.textContent = before; }, 2000);
  }

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { const menu = document.querySelector(".menu[open], .nav-group[open]"); if (menu) { menu.open = false; menu.querySelector("summary").focus(); } }
    if (event.target.matches("input, textarea, select") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/") { const box = document.getElementById("q"); if (box) { event.preventDefault(); box.focus(); box.select(); } }
    if (event.key === "?") document.getElementById("keys")?.showModal();
    if ("123".includes(event.key)) document.querySelectorAll(".tile")[Number(event.key) - 1]?.click();
    if (event.key === "c") document.activeElement.closest("tr")?.querySelector("[data-copy]")?.click();
    if (event.key === "j" || event.key === "k") {
      const links = [...document.querySelectorAll("table.list tbody th a:not(.out)")];
      const now = links.indexOf(document.activeElement);
      const next = now < 0 ? 0 : now + (event.key === "j" ? 1 : -1);
      links[Math.min(Math.max(next, 0), links.length - 1)]?.focus();
    }
  });
})();
