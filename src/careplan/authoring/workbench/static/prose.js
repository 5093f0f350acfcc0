// A rule as prose. The values of its conditions are controls that change the text of the file there and nothing else.
import { html, useMemo, useRef } from "./preact.js";
import { inUnits } from "./parts.js";

export function Prose({ prose, values: told, stale, of, text, onText }) {
  const values = useMemo(() => told.map((one) => ({
    ...one, start: inUnits(of, one.start), end: inUnits(of, one.end), at: one.at < 0 ? -1 : inUnits(prose.conditions, one.at),
    until: one.until < 0 ? -1 : inUnits(prose.conditions, one.until),
  })), [told]);
  const changes = useRef({ of: null, made: new Map() });
  if (!prose) return html`<p class="hint">The rule stands here in prose as soon as the text has no fault.</p>`;
  if (changes.current.of !== of) changes.current = { of, made: new Map() };
  // Several values can be changed before the text is checked again: each where it stood in the text that was checked.
  const onValue = (value, written) => {
    const { made } = changes.current;
    if (text !== withValues(of, made) || of.slice(value.start, value.end) !== value.written) return;
    made.set(value.start, { value, written });
    onText(withValues(of, made));
  };
  const placed = values.filter((one) => one.at >= 0).sort((one, other) => one.at - other.at);
  const others = values.filter((one) => one.at < 0);
  const control = (value) => html`<${Value} key=${value.start} value=${value} words=${prose.conditions.slice(value.at, value.until)}
    disabled=${stale} onValue=${onValue} />`;
  const conditions = [];
  let end = 0;
  for (const value of placed) {
    conditions.push(prose.conditions.slice(end, value.at), control(value));
    end = value.until;
  }
  conditions.push(prose.conditions.slice(end));
  const rows = [
    ["Holds when", conditions],
    ["Further values of its conditions", others.length > 0 && others.map((one) => html`<div>${one.label} ${control(one)}</div>`)],
    ["Says on the front page", prose.line],
    ["Says on the card", prose.card?.says],
    ["Says to the patient", prose.patient_text],
    ["Says to the clinician", prose.clinician_text],
    ["Asks", (prose.asks ?? []).map((one) => `${one.who}, ${one.by_words}: ${one.what}`).join("; ")],
    ["Why it exists", prose.rationale],
    ["Rests on", (prose.evidence ?? []).map((one) => `${one.source}, ${one.place}`).join("; ")],
    ["Contested", prose.contested],
    ["Gaps", prose.gaps],
  ].filter(([, words]) => words);
  return html`<div class=${stale ? "stale" : null}>
    ${stale && html`<p class="hint">As the last text without a fault says it.</p>`}
    <h3>${prose.title}</h3>
    <p class="hint">${prose.level}, ${prose.scope}, topic ${prose.topic.replaceAll("_", " ")}; version ${prose.version}, ${prose.status}</p>
    <dl>${rows.map(([name, words]) => html`<dt>${name}</dt><dd>${words}</dd>`)}</dl>
    ${placed.length > 0 && !stale && html`<p class="hint">A value that is changed here is changed in the text of the file.</p>`}
  </div>`;
}

function withValues(of, made) {
  let text = of;
  for (const { value, written } of [...made.values()].sort((one, other) => other.value.start - one.value.start)) {
    text = text.slice(0, value.start) + written + text.slice(value.end);
  }
  return text;
}

function Value({ value, words, disabled, onValue }) {
  const marks = { class: "value", "aria-label": value.label, disabled };
  if (value.kind === "number") {
    const onChange = (event) => event.target.value !== "" && onValue(value, event.target.value);
    return html`<input ...${marks} type="number" min="0" step="any" value=${value.written} onChange=${onChange} />`;
  }
  // In the words of the sentence it stands as it is read; in the list each token stands for itself.
  return html`<select ...${marks} value=${value.written} onChange=${(event) => onValue(value, event.target.value)}>
    ${value.choices.map((one) => html`<option key=${one.value} value=${one.value}>${one.value === value.written && words ? words : one.says}</option>`)}
  </select>`;
}
