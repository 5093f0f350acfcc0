// One question with the field for its answer. Nothing chosen means that it was not asked, which is never "no".
import { html, useState } from "./preact.js";
import { capital, idOf } from "./context.js";
import { numberTyped } from "./patient.js";

export const faultsAt = (faults, pointer) =>
  faults.filter((fault) => fault.pointer === pointer || fault.pointer.startsWith(`${pointer}/`));

export function Faults({ id, faults }) {
  return faults.length > 0 && html`<ul class="faults" id=${id}>
    ${faults.map((fault) => html`<li key=${fault.pointer + fault.detail}>${capital(fault.detail)}.</li>`)}
  </ul>`;
}

export function Field({ question, pointer = question.pointer, value, faults, first, onAnswer }) {
  const id = idOf(pointer);
  const wrong = faultsAt(faults, pointer);
  const described = [`${id}-why`, wrong.length > 0 && `${id}-faults`].filter(Boolean).join(" ");
  const marks = { id, "aria-describedby": described, "aria-invalid": wrong.length > 0 ? "true" : null };
  const text = html`${question.question}${first && html` <strong class="first">ask first</strong>`}`;
  const why = html`<p class="hint" id=${`${id}-why`}>${question.why_it_matters}${limits(question.answer)}</p>`;
  const shown = html`<${Faults} id=${`${id}-faults`} faults=${wrong} />`;
  if (question.answer.type === "yes_no") {
    return html`<fieldset class="field" aria-describedby=${described} id=${id} tabindex="-1">
      <legend>${text}</legend>${why}
      <div class="choices">${[["Yes", true], ["No", false], ["Not asked", undefined]].map(([words, answer]) => html`
        <label key=${words}><input type="radio" name=${id} checked=${value === answer}
          onChange=${() => onAnswer(pointer, answer)} /> ${words}</label>`)}</div>
      ${shown}
    </fieldset>`;
  }
  return html`<div class="field"><label for=${id}>${text}</label>${why}
    ${question.answer.type === "choice" ? html`<${Choice} ...${{ marks, question, value, pointer, onAnswer }} />`
      : html`<${Figure} ...${{ marks, question, value, pointer, onAnswer }} />`}
    ${shown}
  </div>`;
}

function limits({ least, most, unit }) {
  if (least === undefined || most === undefined) return "";
  return ` From ${least} to ${most}${unit ? ` ${unit}` : ""}.`;
}

function Choice({ marks, question, value, pointer, onAnswer }) {
  return html`<select ...${marks} value=${value ?? ""} onChange=${(event) => onAnswer(pointer, event.target.value || undefined)}>
    <option value="">not asked</option>
    ${question.answer.choices.map((one) => html`<option key=${one.value} value=${one.value}>${one.label}</option>`)}
  </select>`;
}

function Figure({ marks, value, pointer, onAnswer }) {
  const [text, setText] = useState("");
  if (typeof value === "object" && value !== null) {
    // A reading with its time, or several: an example may bring them; here they can only be taken away.
    return html`<p id=${marks.id} tabindex="-1"><code>${JSON.stringify(value)}</code>
      <button type="button" onClick=${() => onAnswer(pointer, undefined)}>Take away</button></p>`;
  }
  // What is being typed, "7." say, stays as it is as long as it means the answer there is.
  const shown = numberTyped(text) === value ? text : String(value ?? "");
  const onInput = (event) => {
    setText(event.target.value);
    onAnswer(pointer, numberTyped(event.target.value));
  };
  return html`<input ...${marks} type="text" inputmode="decimal" autocomplete="off" value=${shown} onInput=${onInput} />`;
}
