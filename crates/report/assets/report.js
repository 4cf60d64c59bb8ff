"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const data = JSON.parse(document.getElementById("data").textContent);

  // Controls do nothing without this script, so it is what shows them.
  for (const e of all("#theme, .controls, .save")) e.hidden = false;

  // Theme: the system's until the reader chooses.
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme || (system.matches ? "dark" : "light")) === "dark";
  const label = () => {
    button.textContent = isDark() ? "Light" : "Dark";
    button.setAttribute("aria-label", isDark() ? "Use light colours" : "Use dark colours");
  };
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    label();
  });
  system.addEventListener("change", label);
  label();

  const save = (blob, name) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };

  // Tables: sort by any column; what has no value stays last.
  for (const table of all("table[id$=-table]")) {
    const body = table.tBodies[0];
    all("thead th", table).forEach((th, column) => {
      const sort = document.createElement("button");
      sort.type = "button";
      sort.textContent = th.textContent;
      th.replaceChildren(sort);
      sort.addEventListener("click", () => {
        const descending = th.getAttribute("aria-sort") === "ascending";
        for (const other of all("th", table)) other.removeAttribute("aria-sort");
        th.setAttribute("aria-sort", descending ? "descending" : "ascending");
        const sign = descending ? -1 : 1;
        const isNumber = th.dataset.sort !== "text";
        const key = (row) => {
          const cell = row.cells[column];
          if (!isNumber) return cell.textContent;
          return cell.dataset.v === undefined ? null : Number(cell.dataset.v);
        };
        const rows = [...body.rows].map((row) => [key(row), row]);
        rows.sort(([a], [b]) => {
          if (a === null || b === null) return (a === null) - (b === null);
          return sign * (isNumber ? a - b : a.localeCompare(b, "en", { numeric: true }));
        });
        body.append(...rows.map(([, row]) => row));
      });
    });
  }
  // Filters of one table leave the rows that agree with all of them.
  for (const select of all("[data-filter]")) {
    select.addEventListener("change", () => {
      const filters = all(`[data-filter="${select.dataset.filter}"]`).filter((f) => f.value !== "");
      for (const row of document.getElementById(select.dataset.filter).tBodies[0].rows) {
        row.hidden = filters.some((f) => row.dataset["k" + f.dataset.key] !== f.value);
      }
    });
  }
  for (const b of all("[data-csv]")) {
    b.addEventListener("click", () => {
      // The file holds every analysis of its kind; a button gives the lines of its own.
      const csv = data.tables[b.dataset.file];
      const lines = csv.match(/(?:[^"\n]|"(?:[^"]|"")*")*\n/g) || [];
      const own = lines.filter((line, i) => i === 0 || line.startsWith(b.dataset.csv + ","));
      const name = b.dataset.file.replace("object2brain-", "");
      save(new Blob([own.join("")], { type: "text/csv" }), b.dataset.csv + "-" + name);
    });
  }

  // Figures: a copy that stands alone, in its light colours, with the definitions it refers to.
  const standalone = (svg) => {
    const copy = svg.cloneNode(true);
    const ids = new Set(all("use", copy).map((use) => use.getAttribute("href").slice(1)));
    const ns = "http://www.w3.org/2000/svg";
    const defs = document.createElementNS(ns, "defs");
    for (const id of ids) {
      const original = document.getElementById(id);
      if (original) defs.append(original.cloneNode(true));
    }
    const paper = document.createElementNS(ns, "rect");
    for (const [k, v] of Object.entries({ width: "100%", height: "100%", fill: "#ffffff" })) {
      paper.setAttribute(k, v);
    }
    copy.prepend(defs, paper);
    copy.setAttribute("font-family", "Helvetica, Arial, sans-serif");
    return new Blob([new XMLSerializer().serializeToString(copy)], { type: "image/svg+xml" });
  };
  for (const b of all(".save button")) {
    const panel = b.closest(".panel");
    const svg = panel.querySelector("svg");
    b.setAttribute("aria-label", "Save as " + b.textContent + ": " + svg.getAttribute("aria-label"));
    b.addEventListener("click", async () => {
      const blob = standalone(svg);
      if (b.dataset.as === "svg") return save(blob, panel.dataset.name + ".svg");
      const image = new Image();
      const url = URL.createObjectURL(blob);
      image.src = url;
      await image.decode();
      const canvas = document.createElement("canvas");
      canvas.width = 2 * svg.width.baseVal.value;
      canvas.height = 2 * svg.height.baseVal.value;
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
      URL.revokeObjectURL(url);
      canvas.toBlob((png) => save(png, panel.dataset.name + ".png"), "image/png");
    });
  }

  // Paper cannot be unfolded.
  addEventListener("beforeprint", () => {
    for (const d of all("details")) d.open = true;
  });
})();
