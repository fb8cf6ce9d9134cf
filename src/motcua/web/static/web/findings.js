// Ticks of a list: x ticks the row in hand, the bar says how many. Every page works without it.
"use strict";
(() => {
  const form = document.getElementById("bulk");
  const boxes = () => [...document.querySelectorAll(".pickable .tick input")];
  const shown = form?.querySelector("[data-picked]"), all = form?.querySelector("[data-all]"), every = form?.querySelector("[data-every]");
  function count() {
    if (!form) return;
    const picked = boxes().filter((box) => box.checked);
    const total = picked.reduce((sum, box) => sum + Number(box.dataset.count || 1), 0);
    shown.hidden = !total;
    shown.textContent = total ? String(total) : form.dataset.none;
    if (all) { all.checked = picked.length > 0 && picked.length === boxes().length; all.indeterminate = picked.length > 0 && !all.checked; }
  }
  document.addEventListener("change", (event) => {
    if (event.target === all) for (const box of boxes()) box.checked = all.checked;
    if (event.target === every && every.checked) for (const box of boxes()) box.checked = true;
    if (every && event.target.matches(".tick input") && !event.target.checked) every.checked = false;
    count();
  });
  document.addEventListener("keydown", (event) => {
    if (event.target.matches("input:not([type=checkbox]), textarea, select") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "x") {
      const box = document.activeElement.closest("tr")?.querySelector(".tick input");
      if (box) { box.checked = !box.checked; box.dispatchEvent(new Event("change", { bubbles: true })); }
    }
  });
  // On a slow line the tick for all is often set before this script has come: it is not lost.
  if (all?.checked) for (const box of boxes()) box.checked = true;
  window.addEventListener("pageshow", count);
})();
