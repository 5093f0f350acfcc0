// Illnesses, looked up or put down as written; goals and allergies, in the patient's own words.
import { html } from "./preact.js";
import { Faults, faultsAt } from "./field.js";
import { Search } from "./search.js";
import { idOf } from "./context.js";

const plain = (text) => text.toLowerCase();

/** The conditions with a name in which every word typed begins a word; those that begin with what was typed come first. */
function matching(conditions, typed) {
  const words = plain(typed).split(/\s+/).filter(Boolean);
  const found = [];
  for (const one of conditions) {
    const names = [one.label, one.patient_label, ...(one.also ?? []), ...(one.icd10 ?? [])];
    const name = names.find((each) => words.every((word) => ` ${plain(each)}`.includes(` ${word}`)));
    if (name) found.push({ key: one.token, token: one.token, text: one.label, more: name === one.label ? "" : name, name });
  }
  const begins = (row) => (plain(row.name).startsWith(plain(typed)) ? 0 : 1);
  return found.sort((one, other) => begins(one) - begins(other)).slice(0, 8);
}

export function Illnesses({ question, conditions, patient, faults, first, onAnswer }) {
  const [listed, others] = [patient.conditions, patient.other_conditions ?? []];
  const labels = new Map(conditions.map((one) => [one.token, one.label]));
  const find = async (typed) => [
    ...matching(conditions, typed),
    { key: "-", text: `Put down as written: ${typed}`, written: typed, more: "read by a clinician, by no rule" },
  ];
  const pick = (row) => {
    if (row.token) onAnswer("/conditions", [...new Set([...(listed ?? []), row.token])]);
    else onAnswer("/other_conditions", [...new Set([...others, row.written])]);
  };
  const without = (list, gone) => (list.length > 1 ? list.filter((one) => one !== gone) : undefined);
  return html`<div class="field" id="at-conditions" tabindex="-1" role="group" aria-label="Illnesses">
    <p>${question.question}${first && html` <strong class="first">ask first</strong>`}</p><p class="hint">${question.why_it_matters}</p>
    <${Search} id="illness-search" label="Search for an illness" hint="A name, or a code of ICD-10." find=${find} onPick=${pick} />
    ${!listed?.length && html`<label><input type="checkbox" checked=${listed !== undefined}
      onChange=${(event) => onAnswer("/conditions", event.target.checked ? [] : undefined)} /> Has none of the known illnesses</label>`}
    <${Faults} id="at-conditions-faults" faults=${[...faultsAt(faults, "/conditions"), ...faultsAt(faults, "/other_conditions")]} />
    <ul class="entries">
      ${(listed ?? []).map((token) => html`<li key=${token} class="entry read"><strong>${labels.get(token) ?? token}</strong>
        <button type="button" class="quiet" onClick=${() => onAnswer("/conditions", without(listed, token))}>Remove<span
          class="unseen"> ${labels.get(token) ?? token}</span></button></li>`)}
      ${others.map((text) => html`<li key=${text} class="entry unread"><strong>${text}</strong> <small>as written</small>
        <button type="button" class="quiet" onClick=${() => onAnswer("/other_conditions", without(others, text))}>Remove<span
          class="unseen"> ${text}</span></button></li>`)}
    </ul>
  </div>`;
}

/** A list of texts, each on a line of its own: goals, and allergies. */
export function Texts({ question, value, faults, first, onAnswer }) {
  const pointer = question.pointer;
  const typed = (event) => {
    const lines = event.target.value.split("\n").filter((line) => line.trim());
    onAnswer(pointer, lines.length > 0 ? lines : undefined);
  };
  const id = idOf(pointer);
  return html`<div class="field"><label for=${id}>${question.question}${first
    && html` <strong class="first">ask first</strong>`}</label>
    <p class="hint" id=${`${id}-why`}>${question.why_it_matters} One on each line.</p>
    <textarea id=${id} aria-describedby=${`${id}-why`} rows="3" autocomplete="off"
      defaultValue=${(value ?? []).join("\n")} onInput=${typed}></textarea>
    <${Faults} id=${`${id}-faults`} faults=${faultsAt(faults, pointer)} />
  </div>`;
}
