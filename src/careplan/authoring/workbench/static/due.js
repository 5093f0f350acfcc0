// What is due for review: works to be looked at again, rules that end, rules that nobody has decided on.
import { html, useEffect, useState } from "./preact.js";
import { ask, counted } from "./parts.js";

export function Due({ onRule }) {
  const [found, setFound] = useState(null);
  const [said, setSaid] = useState("It is being looked up.");
  useEffect(() => {
    ask("/due", {}).then((due) => { setFound(due); setSaid(""); }, (error) => setSaid(error.message));
  }, []);
  if (!found) return html`<h2>Due for review</h2><p role="status">${said}</p>`;
  const rule = (id, words) => html`<button type="button" class="quiet" onClick=${() => onRule(id)}>${words ?? id}</button>`;
  return html`<h2>Due for review</h2>
    <h3>Works to be looked at by ${found.until}</h3>
    ${found.sources.length === 0 ? html`<p>None.</p>` : html`<ul>${found.sources.map((one) => html`<li key=${one.id}><strong>${one.title}</strong>: ${one.because}${one.since > "0" && one.since !== "0000-00-00" ? `, since ${one.since}` : ""}.
      ${one.rules.length > 0 && html`<details><summary>${counted(one.rules.length, "rule")} ${one.rules.length === 1 ? "rests" : "rest"} on it</summary><p>${one.rules.map((id) => rule(id))}</p></details>`}</li>`)}</ul>`}
    ${found.rules.length > 0 && html`<h3>Rules that end</h3><ul>${found.rules.map((one) => html`<li key=${one.id}>${rule(one.id)} ${one.because}, ${one.since}</li>`)}</ul>`}
    <h3>Rules that nobody, or only one, has decided on</h3>
    <p>${counted(found.undecided.length, "rule")}; <code>careplan rules review</code> makes each to be judged and takes the decisions. The gravest first:</p>
    <ul id="undecided">${found.undecided.map((one) => html`<li key=${one.id}>${one.level}: ${rule(one.id, one.title)} lacks the ${one.lacks.join(" and the ")}</li>`)}</ul>`;
}
