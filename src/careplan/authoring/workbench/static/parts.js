// The parts of the page that show what came of a text: faults, examples, what differs, whose plans change.
import { html, useState } from "./preact.js";

export async function ask(path, body) {
  const answer = await fetch(path, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), credentials: "same-origin",
  }).catch(() => null);
  if (answer === null) throw new Error("The workbench does not answer. Does it still run?");
  const found = await answer.json();
  if (!answer.ok) throw new Error(found.detail);
  return found;
}

/** Places in a text are counted in characters by the workbench, and in units of which some characters have two by a browser. */
export const inCharacters = (text, at) => [...text.slice(0, at)].length;
export const inUnits = (text, at) => [...text].slice(0, at).join("").length;

export const counted = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;

export function Faults({ faults, path, onLine }) {
  return faults.length > 0 && html`<h3 class="bad">${counted(faults.length, "fault")}</h3><ul id="faults">${faults.map((fault, at) => html`
    <li key=${at}>${fault.file === path ? html`<button type="button" onClick=${() => onLine(fault.line)}>Line ${fault.line}</button>`
      : `${fault.file}, line ${fault.line}`} ${fault.field && html`<code>${fault.field}</code>`} ${fault.problem} <em>${fault.mend}</em></li>`)}</ul>`;
}

export function Examples({ checked }) {
  if (checked.faults?.length) return null;
  const examples = checked.examples ?? [];
  return html`<h3>Examples</h3><ul id="examples">${examples.map((one, at) => html`<li key=${at} class=${one.passed ? "good" : "bad"}>
      <strong>${one.passed ? "Comes out" : "Does not come out"}:</strong> ${one.expected === "fires" ? "it fires" : "it stays silent"}:
      ${" "}${one.why}${one.problem ? `; but it ${one.problem}` : ""}</li>`)}</ul>
    <p class="hint">${checked.unshown ? `${checked.unshown} of ${checked.wanted} things that its conditions say, no example has shown.`
      : "The examples show all that its conditions say."}</p>
    ${checked.notes?.length > 0 && html`<h3>Still to be done</h3><ul id="notes">${checked.notes.map((words) => html`<li key=${words}>${words}</li>`)}</ul>`}`;
}

export function Diff({ diff, name }) {
  const [said, setSaid] = useState("");
  const copy = () => navigator.clipboard.writeText(diff).then(() => setSaid("Copied."), () => setSaid("The browser does not let this page copy."));
  const save = () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([diff], { type: "text/plain" }));
    link.download = `${name}.patch`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    setSaid("A colleague takes it over with git apply.");
  };
  return html`<h3>What differs from the file</h3>
    ${diff ? html`<pre id="diff" tabindex="0">${diff}</pre><div class="tools"><button type="button" onClick=${copy}>Copy it</button>
      <button type="button" onClick=${save}>Save it as a patch, to send</button></div>` : html`<p id="diff" class="hint">Nothing.</p>`}
    <p class="hint" role="status">${said}</p>`;
}

export function Effect({ effect }) {
  if (!effect) return null;
  if (effect.faults?.length) return html`<p class="bad">The rulebook has faults; mend them first.</p>`;
  return html`<div id="effect"><p><strong>${counted(effect.differing, "plan")} of ${effect.patients} would change.</strong>
      ${" "}${Object.entries(effect.statuses).filter(([turn]) => !/^(\w+) to \1$/.test(turn)).map(([turn, number]) => `${number} from ${turn}`).join("; ")}</p>
    <ul>${effect.rules.map((one) => html`<li key=${one.rule}>${one.rule}: new in ${one.new}, gone from ${one.gone}, changed in ${one.changed}</li>`)}</ul>
    ${effect.samples.map((one) => html`<details key=${one.patient}><summary>Patient ${one.patient}</summary>
      <ul>${one.words.map((words, at) => html`<li key=${at}>${words}</li>`)}</ul></details>`)}</div>`;
}
