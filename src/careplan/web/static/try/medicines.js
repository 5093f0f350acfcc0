// The list of medicines: looked up, or pasted and read line by line, each with what was understood of it.
import { html } from "./preact.js";
import { Field, Faults, faultsAt } from "./field.js";
import { Search } from "./search.js";
import { Marked, Pasted, Remove, Tally } from "./lists.js";
import { capital, spaced, useShown } from "./context.js";
import * as service from "./service.js";

const found = async (typed, signal) => {
  const hits = await service.medicines(typed, signal);
  const rows = hits.map((hit, at) => ({
    key: `${hit.ingredient}/${hit.product ?? at}`,
    name: hit.score === 100 ? typed : (hit.product || hit.matched),
    text: hit.product || hit.name,
    more: [hit.matched !== hit.name.toLowerCase() && `found as ${hit.matched}`, hit.classes.map(spaced).join(", ")]
      .filter(Boolean).join("; "),
  }));
  return [...rows, { key: "-", name: typed, text: `Put down as written: ${typed}`, more: "" }];
};

export function Medicines({ groups, list, faults, onAnswer, first }) {
  const { plan, current } = useShown();
  const add = (entries) => onAnswer("/medications", [...(list ?? []), ...entries]);
  const [whole] = groups.medications.questions;
  return html`<div class="field" id="at-medications" tabindex="-1" role="group" aria-label="Medicines">
    <p>${whole.question}${first && html` <strong class="first">ask first</strong>`}</p><p class="hint">${whole.why_it_matters}</p>
    <${Search} id="medicine-search" label="Search for a medicine" hint="A generic or brand name, or a misspelling of one."
      find=${found} onPick=${(row) => add([{ name: row.name }])} />
    <${Pasted} id="pasted" label="Or paste a list, one medicine a line" there=${list?.length ?? 0}
      onLines=${(lines) => add(lines.map((text) => ({ text })))} />
    <${Tally} reads=${current ? plan.medications : []} of=${list?.length ?? 0} />
    ${!list?.length && html`<label><input type="checkbox" checked=${list !== undefined}
      onChange=${(event) => onAnswer("/medications", event.target.checked ? [] : undefined)} /> Takes no medicines at all</label>`}
    <${Faults} id="at-medications-faults" faults=${faults.filter((fault) => fault.pointer === "/medications")} />
    <ol class="entries">
      ${(list ?? []).map((entry, at) => html`<${Entry} key=${at} ...${{ entry, at, groups, faults, onAnswer }}
        onRemove=${() => onAnswer("/medications", list.length > 1 ? list.filter((_, other) => other !== at) : undefined)} />`)}
    </ol>
  </div>`;
}

function Entry({ entry, at, groups, faults, onAnswer, onRemove }) {
  const { plan, current } = useShown();
  const read = current ? plan.medications.find((one) => one.index === at) : null;
  const written = entry.name ?? entry.text ?? `code ${entry.rxcui}`;
  const more = [
    ["schedule", groups.medicine.questions.find((one) => one.pointer.endsWith("/schedule"))],
    ["indication", groups.medicine.questions.find((one) => one.pointer.endsWith("/indication"))],
  ].filter(([, question]) => question);
  const direct = faultsAt(faults, `/medications/${at}`).filter((one) => !more.some(([name]) => one.pointer.endsWith(name)));
  return html`<li class=${read ? `entry ${read.recognition}` : "entry"}>
    <p><${Marked} text=${written} unclear=${unclear(read, `/medications/${at}/${entry.name ? "name" : "text"}`)} />
      <${Remove} name=${written} list="at-medications" onRemove=${onRemove} /></p>
    ${read && html`<p class="hint">${understood(read)}</p>`}
    <${Faults} id=${`at-medications-${at}-faults`} faults=${direct} />
    <details><summary>How often, and what for</summary>
      ${more.map(([name, question]) => html`<${Field} key=${name} question=${question} pointer=${`/medications/${at}/${name}`}
        value=${entry[name]} faults=${faults} onAnswer=${onAnswer} />`)}
    </details>
  </li>`;
}

const unclear = (read, pointer) =>
  (read?.texts?.find((one) => one.pointer === pointer)?.parts ?? []).filter((one) => one.what === "unexplained");

/** In words: what an entry was taken for, what was read from its line, and what was not. */
function understood(read) {
  const said = {
    read: () => `Understood as ${read.recognized_as}${read.classes?.length ? ` (${read.classes.map(spaced).join(", ")})` : ""}.`,
    known: () => `Known${read.recognized_as ? `, as ${read.recognized_as}` : ""}; no rule concerns what this names.`,
    unread: () => "Not understood. It takes nothing away; the plan names it as unread.",
  }[read.recognition]();
  const fields = [
    read.schedule && `schedule: ${spaced(read.schedule)}`,
    read.indication && `for ${spaced(read.indication)}`,
    read.status && `status: ${spaced(read.status)}`,
    ...(read.doses_a_day ?? []).map((dose) => `${dose.ingredient} ${dose.mg.least}`
      + `${dose.mg.most !== dose.mg.least ? ` to ${dose.mg.most ?? "more"}` : ""} mg a day, as the line says`),
  ].filter(Boolean);
  const lost = (read.texts ?? []).some((one) => one.parts.some((part) => part.what === "unexplained"));
  return [
    said,
    fields.length > 0 && `Read from the line: ${fields.join("; ")}.`,
    lost && "What is marked was not understood.",
    read.suggestions?.length > 0 && `Is it ${read.suggestions.join(" or ")}?`,
    ...(read.disagreements ?? []).map((one) => `${capital(spaced(one.field))}: the line says something else than the answer below.`),
  ].filter(Boolean).join(" ");
}
