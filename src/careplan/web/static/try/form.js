// The answers: every question that there is, by groups, in the order of a visit.
import { html } from "./preact.js";
import { Field } from "./field.js";
import { Illnesses, Texts } from "./illnesses.js";
import { Medicines } from "./medicines.js";
import { capital, idOf, spaced } from "./context.js";
import { valueAt } from "./patient.js";

const OPEN_AT_FIRST = new Set(["red_flags", "patient", "medications"]);

export function Form({ form, patient, asked, faults, conditions, onAnswer }) {
  const groups = Object.fromEntries(form.groups.map((group) => [group.group, group]));
  const besides = [...others(patient, new Set(form.groups.flatMap((group) => group.questions.map((one) => one.pointer))))];
  return html`${form.groups.filter((group) => group.group !== "medicine").map((group) => html`
    <${Group} key=${group.group} ...${{ group, groups, patient, asked, faults, conditions, onAnswer }} />`)}
    ${besides.length > 0 && html`<section aria-label="Also sent"><h3>Also sent</h3>
      <p class="hint">This example brings what no question asks for. It goes to the service with the answers.</p>
      <ul class="entries">${besides.map(([pointer, value]) => html`<li key=${pointer} class="entry" id=${idOf(pointer)} tabindex="-1">
        ${capital(spaced(pointer.slice(1).replaceAll("/", ", ")))}: <code>${JSON.stringify(value)}</code>
        ${" "}<button type="button" class="quiet" onClick=${() => onAnswer(pointer, undefined)}>Take away<span
          class="unseen"> ${pointer}</span></button></li>`)}</ul></section>`}`;
}

function Group({ group, groups, patient, asked, faults, conditions, onAnswer }) {
  const answered = group.questions.filter((one) => valueAt(patient, one.pointer) !== undefined).length;
  const first = group.questions.filter((one) => asked.has(one.pointer)).length;
  const wrong = faults.filter((fault) => group.questions.some((one) => within(fault.pointer, one.pointer))).length;
  return html`<details class="group" open=${OPEN_AT_FIRST.has(group.group)}>
    <summary><h3>${group.title}</h3> <small>${answered} of ${group.questions.length} answered${first > 0
      ? `, ${first} to ask first` : ""}${wrong > 0 ? `, ${wrong} to mend` : ""}</small></summary>
    ${group.questions.map((question) => html`<${Any} key=${question.pointer}
      ...${{ question, groups, patient, faults, conditions, onAnswer, first: asked.has(question.pointer) }} />`)}
  </details>`;
}

/** What a patient has that no question is about: by JSON Pointer, whole lists and objects as they are. */
function* others(patient, questions, above = "") {
  for (const [key, value] of Object.entries(patient)) {
    const pointer = `${above}/${key}`;
    const deeper = [...questions].some((one) => one.startsWith(`${pointer}/`));
    if (questions.has(pointer) || pointer === "/other_conditions") continue;
    if (deeper && typeof value === "object" && value !== null && !Array.isArray(value)) yield* others(value, questions, pointer);
    else yield [pointer, value];
  }
}

const within = (pointer, whole) => pointer === whole || pointer.startsWith(`${whole}/`);

function Any({ question, groups, patient, faults, conditions, onAnswer, first }) {
  const value = valueAt(patient, question.pointer);
  switch (question.answer.type) {
    case "medications":
      return html`<${Medicines} ...${{ groups, list: patient.medications, faults, onAnswer, first }} />`;
    case "conditions":
      return html`<${Illnesses} ...${{ question, conditions, patient, faults, onAnswer, first }} />`;
    case "goals":
      return html`<${Texts} ...${{ question, value, faults, onAnswer, first }} />`;
    default:
      return html`<${Field} ...${{ question, value, faults, first, onAnswer }} />`;
  }
}

/** Show the field of an answer, opened and with the focus in it: that of its list if it has none of its own. */
export function goTo(pointer) {
  for (let at = pointer; at; at = at.slice(0, at.lastIndexOf("/"))) {
    const field = document.getElementById(idOf(at));
    if (field) {
      for (let one = field; one; one = one.parentElement) if (one.tagName === "DETAILS") one.open = true;
      const inner = field.matches("fieldset") ? field.querySelector("input") : field;
      inner.focus();
      field.scrollIntoView({ block: "center" });
      return;
    }
  }
}
