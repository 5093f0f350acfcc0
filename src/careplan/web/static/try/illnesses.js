// Illnesses, looked up or put down as written; goals and allergies, in the patient's own words.
import { html } from "./preact.js";
import { Faults, faultsAt } from "./field.js";
import { Marked, Pasted, Remove, Tally } from "./lists.js";
import { Search } from "./search.js";
import { idOf, useShown } from "./context.js";

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
  const { plan, current } = useShown();
  const reads = current ? plan.conditions ?? [] : [];
  const write = (texts) => onAnswer("/other_conditions", [...new Set([...others, ...texts])]);
  const find = async (typed) => [
    ...matching(conditions, typed),
    { key: "-", text: `Put down as written: ${typed}`, written: typed, more: "read word by word" },
  ];
  const pick = (row) => {
    if (row.token) onAnswer("/conditions", [...new Set([...(listed ?? []), row.token])]);
    else write([row.written]);
  };
  const without = (list, gone) => (list.length > 1 ? list.filter((one) => one !== gone) : undefined);
  return html`<div class="field" id="at-conditions" tabindex="-1" role="group" aria-label="Illnesses">
    <p>${question.question}${first && html` <strong class="first">ask first</strong>`}</p><p class="hint">${question.why_it_matters}</p>
    <${Search} id="illness-search" label="Search for an illness" hint="A name, or a code of ICD-10." find=${find} onPick=${pick} />
    <${Pasted} id="pasted-illnesses" label="Or paste a list, one illness a line" there=${others.length} onLines=${write} />
    <${Tally} reads=${reads} of=${others.length} />
    ${!listed?.length && html`<label><input type="checkbox" checked=${listed !== undefined}
      onChange=${(event) => onAnswer("/conditions", event.target.checked ? [] : undefined)} /> Has none of the known illnesses</label>`}
    <${Faults} id="at-conditions-faults" faults=${[...faultsAt(faults, "/conditions"), ...faultsAt(faults, "/other_conditions")]} />
    <ul class="entries">
      ${(listed ?? []).map((token) => html`<li key=${token} class="entry read"><strong>${labels.get(token) ?? token}</strong>
        <${Remove} name=${labels.get(token) ?? token} list="at-conditions"
          onRemove=${() => onAnswer("/conditions", without(listed, token))} /></li>`)}
      ${others.map((text, at) => html`<${Written} key=${text} ...${{ text, labels }} read=${reads.find((one) => one.index === at)}
        onRemove=${() => onAnswer("/other_conditions", without(others, text))} />`)}
    </ul>
  </div>`;
}

/** An illness in words, with what was understood of it. */
function Written({ text, read, labels, onRemove }) {
  const unclear = read?.parts?.filter((part) => part.recognition === "unread") ?? [];
  return html`<li class=${read ? `entry ${read.recognition}` : "entry"}>
    <p><${Marked} ...${{ text, unclear }} /> <small>as written</small> <${Remove} name=${text} list="at-conditions" onRemove=${onRemove} /></p>
    ${read && html`<p class="hint">${understood(read, unclear, labels)}</p>`}
  </li>`;
}

function understood(read, unclear, labels) {
  const as = read.recognized_as?.join(" and ");
  const denied = (read.parts ?? []).some((part) => part.recognition === "read" && part.status === "denied");
  const meant = unclear.flatMap((part) => part.suggestions ?? []).map((token) => labels.get(token) ?? token);
  return [
    as && `Understood as ${as}.`,
    denied && "It says what is not there.",
    read.recognition === "known" && "A known illness; no rule concerns it.",
    read.recognition === "unread" && (as ? "What is marked was not understood." : "Not understood. It takes nothing away; the plan names it as unread."),
    meant.length > 0 && `Is it ${meant.join(" or ")}?`,
  ].filter(Boolean).join(" ");
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
