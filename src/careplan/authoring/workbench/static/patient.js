// A made-up patient with sliders, and what the rule says of them as they change.
import { html, useEffect, useState } from "./preact.js";
import { ask } from "./parts.js";

const SLIDERS = [
  ["Age, years", ["age_years"], 18, 100, 1, 40],
  ["Sleep, hours a night", ["lifestyle", "sleep_hours_per_night"], 0, 14, 0.25, 7],
  ["Alcohol, drinks a week", ["lifestyle", "alcohol_drinks_per_week"], 0, 60, 1, 0],
  ["Systolic pressure, mmHg", ["measures", "systolic"], 70, 240, 1, 120],
];
const PAUSE = 200;
const OUTCOMES = {
  fired: "It holds: the plan says this.",
  not_fired: "It does not hold.",
  undecided: "It is not known yet whether it holds.",
  does_not_run: "The rule does not run: it is a draft or retired.",
  not_said: "This patient cannot be read.",
};

const valueAt = (patient, path) => path.reduce((inner, key) => inner?.[key], patient);

function withValue(patient, [key, ...rest], value) {
  const copy = { ...patient };
  const inner = rest.length > 0 ? withValue(copy[key] ?? {}, rest, value) : value;
  if (inner === undefined || (rest.length > 0 && Object.keys(inner).length === 0)) delete copy[key];
  else copy[key] = inner;
  return copy;
}

export function MadeUp({ rule, text, sound, examples, illnesses, patient, onPatient }) {
  const [said, setSaid] = useState(null);
  const [wrong, setWrong] = useState("");
  const [line, setLine] = useState("");
  useEffect(() => {
    if (!sound) return undefined;
    let wanted = true;
    const later = setTimeout(async () => {
      try {
        const found = await ask("/said", { rule, text, patient });
        if (wanted) setSaid({ ...found, of: patient, text });
      } catch (error) {
        if (wanted) setSaid({ outcome: "not_said", faults: [error.message], of: patient, text });
      }
    }, PAUSE);
    return () => {
      wanted = false;
      clearTimeout(later);
    };
  }, [rule, text, sound, patient]);

  const onSent = (event) => {
    try {
      const sent = JSON.parse(event.target.value);
      if (typeof sent !== "object" || sent === null || Array.isArray(sent)) throw new SyntaxError("no object");
      setWrong("");
      onPatient(sent);
    } catch (error) {
      setWrong(`This is no patient: ${error.message}`);
    }
  };
  const medicines = Array.isArray(patient.medications) ? patient.medications : [];
  const conditions = Array.isArray(patient.conditions) ? patient.conditions : [];
  const withMedicines = (list) => onPatient(withValue(patient, ["medications"], list.length > 0 ? list : undefined));
  const withConditions = (list) => onPatient(withValue(patient, ["conditions"], list.length > 0 ? list : undefined));
  const onAdd = (event) => {
    event.preventDefault();
    if (line.trim()) withMedicines([...medicines, { text: line.trim() }]);
    setLine("");
  };
  return html`<div class="both">
    <div>
      <label for="begin">Begin with</label>
      <select id="begin" value="" onChange=${(event) => event.target.value !== "" && onPatient(event.target.value === "none" ? {} : examples[Number(event.target.value)].patient)}>
        <option value="">choose</option><option value="none">nobody known</option>
        ${examples.map((one, at) => html`<option key=${at} value=${at}>${one.expected === "fires" ? "Example that fires" : "Example that stays silent"}: ${one.why}</option>`)}
      </select>
      ${SLIDERS.map((one) => html`<${Slider} key=${one[0]} slider=${one} patient=${patient} onPatient=${onPatient} />`)}
      <form onSubmit=${onAdd}><label for="medicine">A medicine, as a line of a list</label>
        <div class="line"><input id="medicine" autocomplete="off" value=${line} onInput=${(event) => setLine(event.target.value)} /><button>Add</button></div></form>
      ${medicines.length > 0 && html`<ul aria-label="Medicines">${medicines.map((one, at) => html`<li key=${at}>${one.text ?? one.name ?? one.rxcui}
        ${" "}<button type="button" onClick=${() => withMedicines(medicines.toSpliced(at, 1))}>Take away<span class="unseen"> ${one.text ?? one.name}</span></button></li>`)}</ul>`}
      <label for="illness">An illness</label>
      <select id="illness" value="" onChange=${(event) => event.target.value && !conditions.includes(event.target.value) && withConditions([...conditions, event.target.value])}>
        <option value="">add one</option>${illnesses.map((one) => html`<option key=${one.value} value=${one.value}>${one.says}</option>`)}</select>
      ${conditions.length > 0 && html`<ul aria-label="Illnesses">${conditions.map((one) => html`<li key=${one}>${illnesses.find((other) => other.value === one)?.says ?? one}
        ${" "}<button type="button" onClick=${() => withConditions(conditions.filter((other) => other !== one))}>Take away<span class="unseen"> ${one}</span></button></li>`)}</ul>`}
      <details><summary>The patient as sent</summary>
        <label for="sent">Everything else can be written here</label>
        <textarea id="sent" class="small" spellcheck=${false} value=${JSON.stringify(patient, null, 1)} onChange=${onSent}></textarea>
        <p class="bad" role="status">${wrong}</p></details>
    </div>
    <div role="status" id="said">${said && html`<${Verdict} said=${said} stale=${said.of !== patient || said.text !== text || !sound} />`}</div>
  </div>`;
}

function Slider({ slider: [words, path, least, most, step, usual], patient, onPatient }) {
  const id = path.at(-1);
  const value = valueAt(patient, path);
  const known = typeof value === "number";
  const other = value !== undefined && !known;
  return html`<div class="slider"><label for=${id}>${words}</label>
    <label class="known"><input type="checkbox" checked=${known} aria-label=${`${words}: known`} disabled=${other}
      onChange=${() => onPatient(withValue(patient, path, known ? undefined : usual))} /> ${known ? value : other ? "as sent" : "not asked"}</label>
    <input id=${id} type="range" min=${least} max=${most} step=${step} value=${known ? value : usual} disabled=${!known}
      onInput=${(event) => onPatient(withValue(patient, path, Number(event.target.value)))} /></div>`;
}

const Lines = ({ words, lines }) => lines?.length > 0 && html`<p>${words}</p><ul>${lines.map((one, at) => html`<li key=${at}>${one}</li>`)}</ul>`;

function Verdict({ said, stale }) {
  // What was said of the patient before is never taken for what is said of this one.
  if (stale) return html`<p class="hint">It is being looked up.</p>`;
  return html`<p class=${`verdict ${said.outcome}`}><strong>${OUTCOMES[said.outcome]}</strong></p>
    <${Lines} words="What is wrong:" lines=${said.faults} />
    <${Lines} words="It would take:" lines=${said.missing} />
    <${Lines} words=${said.outcome === "fired" ? "These answers could add to it:" : "It hangs on these answers:"} lines=${said.open} />
    ${(said.items ?? []).map((item, at) => html`<section key=${at} class="item" aria-label=${`Item: ${item.title}`}><h4>${item.level}: ${item.title}</h4><p>${item.line}</p>
      <dl><dt>To the patient</dt><dd>${item.patient_text}</dd><dt>To the clinician</dt><dd>${item.clinician_text}</dd>
      ${item.because.length > 0 && html`<dt>Because the patient</dt><dd>${item.because.join("; ")}</dd>`}</dl></section>`)}
    ${said.headline && html`<p class="hint">The front page of this patient: ${said.headline}</p>`}`;
}
