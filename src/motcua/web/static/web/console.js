// Keys, text size, contrast and copying; every page works without it.
"use strict";
const root = document.documentElement;
function apply() {
  root.classList.toggle("s90", localStorage.getItem("size") === "90");
  root.classList.toggle("s120", localStorage.getItem("size") === "120");
  root.classList.toggle("contrast", localStorage.getItem("contrast") === "1");
}
apply();
document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.size) { localStorage.setItem("size", button.dataset.size); apply(); }
  if ("contrast" in button.dataset) { localStorage.setItem("contrast", localStorage.getItem("contrast") === "1" ? "0" : "1"); apply(); }
  if (button.dataset.copy) { navigator.clipboard.writeText(button.dataset.copy); button.textContent = "Đã chép"; }
});
document.addEventListener("keydown", (event) => {
  if (event.target.matches("input, textarea, select") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/") { event.preventDefault(); document.getElementById("q")?.focus(); }
  const links = [...document.querySelectorAll("table.list tbody th a")];
  if (links.length && (event.key === "j" || event.key === "k")) {
    const at = links.indexOf(document.activeElement);
    links[Math.min(Math.max(at + (event.key === "j" ? 1 : -1), 0), links.length - 1)].focus();
  }
});
