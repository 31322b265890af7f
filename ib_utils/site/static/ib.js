// The filter of the claims page: hides rows, and the sections that have none left. Without it every row shows.
document.querySelectorAll("form.ib-filter").forEach((form) => {
  const rows = [...document.querySelectorAll("table.ib-claims tbody tr")];
  const sections = [...new Set(rows.map((row) => row.closest("section")))];
  const show = () => {
    const words = form.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const verdict = form.elements.verdict.value;
    rows.forEach((row) => {
      const text = row.textContent.toLowerCase();
      row.hidden = (verdict && row.dataset.verdict !== verdict) || !words.every((word) => text.includes(word));
    });
    sections.forEach((section) => {
      section.hidden = !section.querySelector("tbody tr:not([hidden])");
    });
    const shown = rows.filter((row) => !row.hidden).length;
    form.querySelector("output").textContent =
      shown === rows.length ? `${shown} claims` : `${shown} of ${rows.length} claims`;
  };
  // A link to a claim (from the table of contents or a card) must never lead to a hidden row.
  window.addEventListener("hashchange", () => {
    const target = document.getElementById(location.hash.slice(1));
    if (target && target.closest("[hidden]")) {
      form.reset();
      show();
      target.scrollIntoView();
    }
  });
  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  show();
});
