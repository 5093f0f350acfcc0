// The workbench: find a rule, change its text, see what comes of it, save it.
import { html, render, useEffect, useRef, useState } from "./preact.js";
import { Diff, Effect, Examples, Faults, Prose, ask, counted } from "./parts.js";

const PAUSE = 500;

function App() {
  const [words, setWords] = useState("");
  const [rows, setRows] = useState([]);
  const [sheet, setSheet] = useState(null);
  const [said, setSaid] = useState("");
  const choose = async (rule) => {
    try {
      setSheet(await ask("/rule", { rule }));
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
        <ul class="rules">${rows.map((row) => html`<li key=${row.id}><button type="button" aria-current=${row.id === sheet?.id ? "true" : null}
          onClick=${() => choose(row.id)}>${row.title}<br /><small>${row.section}, ${row.level}, ${row.status}</small></button></li>`)}</ul>
      </nav>
      <main>
        ${said && html`<p class="bad" role="alert">${said}</p>`}
        ${sheet ? html`<${Editor} key=${sheet.id + sheet.mark} sheet=${sheet} onSaved=${setSheet} onReread=${() => choose(sheet.id)} />`
          : html`<p>Choose a rule. It is shown as prose beside its file, and what you type is checked at once. Nothing is written until you save.</p>`}
      </main>
    </div>`;
}

function Editor({ sheet, onSaved, onReread }) {
  const [text, setText] = useState(sheet.text);
  const [checked, setChecked] = useState({ ...sheet.checked, of: sheet.text });
  const [prose, setProse] = useState(sheet.checked.prose);
  const [effect, setEffect] = useState(null);
  const [patients, setPatients] = useState("300");
  const [said, setSaid] = useState("");
  const field = useRef(null);
  const faults = checked.faults ?? [];
  const changed = text !== sheet.text;

  useEffect(() => {
    if (text === checked.of) return undefined;
    setEffect(null);
    let wanted = true;
    const later = setTimeout(async () => {
      try {
        const found = await ask("/check", { rule: sheet.id, text });
        if (!wanted) return;
        setChecked({ ...found, of: text });
        if (found.prose) setProse(found.prose);
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
  return html`<h2>${sheet.path}</h2>
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
    <div class="both">
      <section aria-label="In prose"><${Prose} prose=${prose} stale=${faults.length > 0} /><${Examples} checked=${checked} /></section>
      <section aria-label="As a file"><label for="text">The file</label>
        <textarea id="text" ref=${field} spellcheck=${false} autocomplete="off" value=${text} onInput=${(event) => setText(event.target.value)}></textarea>
        <${Faults} faults=${faults} path=${sheet.path} onLine=${onLine} /><${Diff} diff=${checked.diff} /></section>
    </div>`;
}

const root = document.getElementById("app");
root.replaceChildren();
render(html`<${App} />`, root);
