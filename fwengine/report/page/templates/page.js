"use strict";
(function () {
  // a link into folded content opens it
  function reveal() {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let e = target.parentElement; e; e = e.parentElement) if (e.tagName === "DETAILS") e.open = true;
    const inner = target.querySelector("details");
    if (inner && target.tagName === "TR") inner.open = true;
    target.scrollIntoView({ block: "center" });
  }
  addEventListener("hashchange", reveal);
  reveal();
  // what is folded is printed as well
  addEventListener("beforeprint", function () {
    for (const one of document.querySelectorAll("details")) one.open = true;
  });
  const search = document.getElementById("search");
  if (!search) return;
  search.closest(".search").hidden = false;
  const rows = Array.from(document.querySelectorAll(".listing tbody tr"));
  const found = document.getElementById("found");
  search.addEventListener("input", function () {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every(function (word) { return text.includes(word); });
      count += row.hidden ? 0 : 1;
    }
    found.textContent = words.length ? count + " of " + rows.length + " lines" : "";
  });
  addEventListener("keydown", function (event) {
    if (event.key === "/" && document.activeElement !== search) {
      event.preventDefault();
      search.focus();
    }
  });
})();
