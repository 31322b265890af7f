// The filter above a table: hides rows, their lines in a plot, and groups that have none left.
// Without this script the filter is hidden and every row shows.
document.querySelectorAll("form.ib-filter").forEach((form) => {
  const rows = [...document.querySelectorAll("table.ib-rows tbody tr")];
  const texts = rows.map((row) => `${row.textContent} ${row.id}`.toLowerCase());
  const lines = [...document.querySelectorAll("[data-row]")];
  const selects = [...form.querySelectorAll("select")];
  const groups = [...new Set(rows.map((row) => row.closest("section")))].filter(
    (section) => section && !section.contains(form),
  );

  const show = () => {
    // Words anywhere, and "what stands in quotes" as it is.
    const found = form.elements.find.value.toLowerCase().match(/"[^"]*"|\S+/g) || [];
    const words = found.map((word) => word.replaceAll('"', "")).filter(Boolean);
    const chosen = selects.filter((select) => select.value);
    const hidden = new Set();
    rows.forEach((row, i) => {
      const fits =
        chosen.every((select) => row.dataset[select.name].split(",").includes(select.value)) &&
        words.every((word) => texts[i].includes(word));
      row.hidden = !fits;
      if (!fits) hidden.add(row.id);
    });
    lines.forEach((line) => (line.hidden = hidden.has(line.dataset.row)));
    document.querySelectorAll(".ib-group").forEach((group) => {
      group.hidden = !group.querySelector("[data-row]:not([hidden])");
    });
    groups.forEach((section) => (section.hidden = !section.querySelector("tbody tr:not([hidden])")));
    const all = `${rows.length} ${form.dataset.noun}`;
    form.querySelector("output").textContent = hidden.size ? `${rows.length - hidden.size} of ${all}` : all;
    form.elements.clear.hidden = !words.length && !chosen.length;
  };

  const showAll = () => {
    form.reset();
    show();
  };

  // An address may carry a choice: claims.html?find=convolution&verdict=fails
  new URLSearchParams(location.search).forEach((value, name) => {
    if (name in form.elements && name !== "clear") form.elements[name].value = value;
  });
  // A link to a row (from the table of contents or a card) must never lead to a hidden one.
  window.addEventListener("hashchange", () => {
    const target = document.getElementById(location.hash.slice(1));
    if (target && target.closest("[hidden]")) {
      showAll();
      target.scrollIntoView();
    }
  });
  form.addEventListener("input", show);
  form.elements.clear.addEventListener("click", showAll);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  show();
});
