// The workbench: find a rule, change its text, see what comes of it, save it.
import { html, render, useEffect, useRef, useState } from "./preact.js";
import { Due } from "./due.js";
import { Field } from "./field.js";
import { MadeUp } from "./patient.js";
import { Diff, Effect, Examples, Faults, ask, counted } from "./parts.js";
import { Proof } from "./proof.js";
import { Prose } from "./prose.js";

const PAUSE = 250;

function App() {
  const [words, setWords] = useState("");
  const [rows, setRows] = useState([]);
  const [sheet, setSheet] = useState(null);
  const [due, setDue] = useState(false);
  const [patient, setPatient] = useState({});
  const [said, setSaid] = useState("");
  const [chosen, setChosen] = useState(0);
  // Whoever chose a rule by keys, or on a telephone, is past the long list at once.
  useEffect(() => {
    if (chosen > 0) document.getElementById("rule")?.focus();
  }, [chosen]);
  const choose = async (rule) => {
    try {
      setSheet(await ask("/rule", { rule }));
      setDue(false);
      setChosen((before) => before + 1);
      setSaid("");
    } catch (error) {
      setSaid(error.message);
    }
  };
  useEffect(() => {
    const later = setTimeout(() => ask("/rules", { words }).then(setRows, (error) => setSaid(error.message)), 150);
    return () => clearTimeout(later);
  }, [words]);
  return html`<h1>Workbench for rules</h1>
    <div class="bench">
      <nav aria-label="Rules">
        <label for="words">Search in all rules</label>
        <input id="words" type="search" autocomplete="off" value=${words} onInput=${(event) => setWords(event.target.value)} />
        <p class="hint" role="status">${counted(rows.length, "rule")}</p>
        <p><button type="button" aria-pressed=${due ? "true" : "false"} onClick=${() => setDue(!due)}>What is due for review</button></p>
        <ul class="rules">${rows.map((row) => html`<li key=${row.id}><button type="button" aria-current=${row.id === sheet?.id ? "true" : null}
          onClick=${() => choose(row.id)}>${row.title}<br /><small>${row.id}: ${row.section}, ${row.level}, ${row.status}</small></button></li>`)}</ul>
      </nav>
      <main>
        ${said && html`<p class="bad" role="alert">${said}</p>`}
        ${due && html`<${Due} onRule=${choose} />`}
        ${sheet ? html`<div hidden=${due}><${Editor} key=${sheet.id + sheet.mark} sheet=${sheet} patient=${patient} onPatient=${setPatient} onSaved=${setSheet}
            onReread=${() => choose(sheet.id)} /></div>`
          : !due && html`<p>Choose a rule. It is shown as prose beside its file, and what you type is checked at once. Nothing is written until you save.</p>`}
      </main>
    </div>`;
}

function Editor({ sheet, patient, onPatient, onSaved, onReread }) {
  const [text, setText] = useState(sheet.text);
  const [checked, setChecked] = useState({ ...sheet.checked, of: sheet.text });
  const [shown, setShown] = useState({ ...sheet.checked, of: sheet.text });
  const [effect, setEffect] = useState(null);
  const [patients, setPatients] = useState("300");
  const [said, setSaid] = useState("");
  const field = useRef(null);
  const faults = checked.faults ?? [];
  const changed = text !== sheet.text;
  const sound = text === checked.of && faults.length === 0;

  useEffect(() => {
    if (text === checked.of) return undefined;
    setEffect(null);
    let wanted = true;
    const later = setTimeout(async () => {
      try {
        const found = await ask("/check", { rule: sheet.id, text });
        if (!wanted) return;
        setChecked({ ...found, of: text });
        if (found.prose) setShown({ ...found, of: text });
      } catch (error) {
        if (wanted) setSaid(error.message);
      }
    }, PAUSE);
    return () => {
      wanted = false;
      clearTimeout(later);
    };
  }, [text]);

  const onLine = (line) => {
    const start = text.split("\n").slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
    const end = text.indexOf("\n", start);
    field.current.focus();
    field.current.setSelectionRange(start, end < 0 ? text.length : end);
    field.current.scrollTop = Math.max(0, line - 4) * (field.current.scrollHeight / text.split("\n").length);
  };
  const weigh = async () => {
    setSaid("The plans are being compared.");
    try {
      setEffect(await ask("/effect", { rule: sheet.id, text, patients: Number(patients) }));
      setSaid("");
    } catch (error) {
      setSaid(error.message);
    }
  };
  const save = async () => {
    try {
      onSaved(await ask("/save", { rule: sheet.id, text, mark: sheet.mark }));
    } catch (error) {
      setSaid(error.message);
    }
  };
  const failed = (checked.examples ?? []).filter((one) => !one.passed).length;
  const state = text !== checked.of ? "It is being checked." : faults.length ? `${counted(faults.length, "fault")}.`
    : failed ? `No fault; ${counted(failed, "example")} ${failed === 1 ? "does" : "do"} not come out.` : "No fault, and every example comes out.";
  return html`<h2 id="rule" tabindex="-1">${sheet.path}</h2>
    <p id="state" role="status" class=${faults.length || failed ? "state wrong" : "state"}>${state} ${changed ? "Not saved." : "As it is in the file."}</p>
    <div class="tools">
      <button type="button" disabled=${!changed} onClick=${save}>Save${faults.length ? " with its faults" : ""}</button>
      <button type="button" onClick=${onReread}>Read the file again</button>
      <label for="patients">Made-up patients</label>
      <select id="patients" value=${patients} onChange=${(event) => setPatients(event.target.value)}>
        ${["100", "300", "1000"].map((number) => html`<option key=${number} value=${number}>${number}</option>`)}</select>
      <button type="button" disabled=${!changed || faults.length > 0} onClick=${weigh}>Whose plans change?</button>
    </div>
    <p role="status" class="hint">${said}</p>
    <${Effect} effect=${effect} />
    <${Proof} rule=${sheet.id} text=${text} changed=${changed} sound=${sound} onPatient=${onPatient} />
    <div class="both">
      <section aria-label="In prose"><${Prose} prose=${shown.prose} values=${shown.values ?? []} stale=${faults.length > 0} of=${shown.of} text=${text} onText=${setText} />
        <${Examples} checked=${checked} /></section>
      <section aria-label="As a file"><${Field} field=${field} text=${text} onText=${setText} />
        <${Faults} faults=${faults} path=${sheet.path} onLine=${onLine} /><${Diff} diff=${checked.diff} name=${sheet.id} />
        <section aria-label="A made-up patient"><h3>A made-up patient</h3>
          ${text !== shown.of && html`<p class="hint">By the last text that was checked and has no fault.</p>`}
          <${MadeUp} rule=${sheet.id} text=${shown.of} sound=${Boolean(shown.prose)} examples=${shown.examples ?? []} illnesses=${sheet.illnesses ?? []}
            patient=${patient} onPatient=${onPatient} /></section></section>
    </div>`;
}

const root = document.getElementById("app");
root.replaceChildren();
render(html`<${App} />`, root);
