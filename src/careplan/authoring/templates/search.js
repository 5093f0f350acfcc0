// Searches what search-index.js holds. Nothing typed leaves the page or stands in an address.
"use strict";
{
  const MOST = 100;
  const rows = globalThis.rulebookIndex.map((row) => ({ ...row, name: row.title.toLowerCase(), all: `${row.title} ${row.about} ${row.words}`.toLowerCase() }));
  const field = document.getElementById("words");
  const count = document.getElementById("count");
  const list = document.getElementById("found");

  const item = (row) => {
    const link = document.createElement("a");
    link.href = row.page;
    link.textContent = row.title;
    const about = document.createElement("small");
    about.textContent = row.about;
    const made = document.createElement("li");
    made.append(link, " ", about);
    return made;
  };
  const search = () => {
    const sought = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    const rank = (row) => sought.filter((word) => row.name.includes(word)).length;
    const found = sought.length === 0 ? [] : rows.filter((row) => sought.every((word) => row.all.includes(word)))
      .sort((one, other) => rank(other) - rank(one));
    list.replaceChildren(...found.slice(0, MOST).map(item));
    const number = found.length === 1 ? "1 thing found" : `${found.length} things found`;
    count.textContent = sought.length === 0 ? "" : found.length > MOST ? `${number}; the first ${MOST} are shown.` : `${number}.`;
  };
  field.addEventListener("input", search);
  document.getElementById("search").addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("search").hidden = false;
  search();
}
