// Copies the summary. Browsers inside other apps often refuse the clipboard: then the text is shown, marked, to be copied by hand.
"use strict";
document.addEventListener("click", async (event) => {
  if (!event.target.closest("[data-copy-summary]")) return;
  const text = document.getElementById("summary"), said = document.getElementById("said"), words = document.documentElement.dataset;
  let done = false;
  try {
    await navigator.clipboard.writeText(text.value);
    done = true;
  } catch {
    text.closest("details").open = true;
    text.focus();
    text.setSelectionRange(0, text.value.length);
    try { done = document.execCommand("copy"); } catch { done = false; }
  }
  said.textContent = done ? words.copied : words.notCopied;
  setTimeout(() => { said.textContent = ""; }, 2500);
});
