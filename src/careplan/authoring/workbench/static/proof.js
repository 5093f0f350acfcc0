// Proof and comparison over all patients: asked for on a button, looked after until they are done, stopped at will.
import { html, useEffect, useState } from "./preact.js";
import { ask, counted } from "./parts.js";

const EVERY = 600;
const TURNS = {
  same: "comes up for the same patients as before",
  more: "comes up for more patients than before",
  fewer: "comes up for fewer patients than before",
  others: "comes up for some patients more, and for some no longer",
  new: "is new",
  gone: "is gone",
  not_decided: "could not be compared",
};

export function Proof({ rule, text, changed, sound, onPatient }) {
  const [job, setJob] = useState(null);
  const [of, setOf] = useState("");
  const running = job?.state === "running";
  const busy = running || job?.state === "begun";
  useEffect(() => {
    if (!running) return undefined;
    const later = setTimeout(() => ask("/proof", {}).then(setJob, (error) => setJob({ state: "failed", words: error.message })), EVERY);
    return () => clearTimeout(later);
  }, [job]);
  const begin = async (work) => {
    setOf(text);
    setJob({ state: "begun", work });
    try {
      setJob(await ask(`/${work}`, { rule, text }));
    } catch (error) {
      setJob({ state: "failed", words: error.message });
    }
  };
  const stop = () => ask("/proof/stop", {}).then(setJob, () => {});
  return html`<div class="tools">
      <button type="button" disabled=${!sound || busy} onClick=${() => begin("prove")}>Prove this rule</button>
      <button type="button" disabled=${!sound || !changed || busy} onClick=${() => begin("compare")}>Compare with the file, proved</button>
      ${running && html`<button type="button" onClick=${stop}>Stop</button>`}
    </div>
    <div id="proof"><p role="status">${job && words(job)}</p>
      ${job?.state === "done" && html`${of !== text && html`<p class="hint">This is of an earlier text.</p>`}
        ${job.work === "compare" ? html`<${Compared} rule=${rule} found=${job.found} onPatient=${onPatient} />` : html`<${Proved} found=${job.found} onPatient=${onPatient} />`}`}
    </div>`;
}

function words({ state, work, seconds, words: said }) {
  const name = work === "compare" ? "The comparison" : "The proof";
  switch (state) {
    case "begun": return `${name} begins.`;
    case "running": return `${name} runs, ${seconds} s so far. ${said ?? ""}`;
    case "failed": return `Nothing was proved. ${said ?? ""}`;
    case "stopped": return `${name} was stopped.`;
    case "too_long": return `${name} was given up after ${seconds} s; careplan rules ${work} in a terminal has no limit.`;
    default: return `${name} took ${seconds} s.`;
  }
}

const Try = ({ patient, onPatient }) => patient && html`<pre tabindex="0" aria-label="The patient">${JSON.stringify(patient)}</pre>
  <button type="button" onClick=${() => onPatient(patient)}>Take as the made-up patient</button>`;

function Proved({ found, onPatient }) {
  const failures = found.failures ?? [];
  return html`<p class=${failures.length ? "bad" : "good"}><strong>${failures.length ? `${counted(failures.length, "claim")} ${failures.length === 1 ? "does" : "do"} not hold.`
      : "Everything that is claimed of this rule holds for every patient."}</strong></p>
    ${failures.map((one, at) => html`<section key=${at} aria-label=${one.subject}><p><strong>${one.kind.replaceAll("_", " ")}: ${one.subject}.</strong> ${one.detail}
      ${one.replayed === true && " The engine's plan of this patient shows it."}</p><${Try} patient=${one.patient} onPatient=${onPatient} /></section>`)}
    <ul>${Object.entries(found.holds).filter(([, number]) => number > 0).map(([claim, number]) => html`<li key=${claim}>${claim}: ${number}</li>`)}</ul>`;
}

function Compared({ rule, found, onPatient }) {
  const rules = found.rules.toSorted((one, other) => (other.rule === rule) - (one.rule === rule));
  const invariants = found.invariants.filter((one) => !(one.held && one.holds));
  return html`${rules.length === 0 && html`<p><strong>It comes up for the same patients as before, and says the same.</strong></p>`}
    ${rules.map((one) => html`<section key=${one.rule} aria-label=${one.title}><p><strong>${one.title} ${TURNS[one.fires]}${one.words ? ", and what it says changed" : ""}.</strong></p>
      <${Turn} words="A smallest patient who has it only now:" turn=${one.gains} onPatient=${onPatient} />
      <${Turn} words="A smallest patient who had it only before:" turn=${one.loses} onPatient=${onPatient} /></section>`)}
    ${invariants.map((one) => html`<section key=${one.invariant} aria-label=${one.title}><p class=${one.holds ? "good" : "bad"}><strong>${one.title}:</strong>
      ${" "}${one.holds ? "holds now, and did not before." : one.held ? "no longer holds." : "does not hold."}</p><${Try} patient=${one.breaks?.patient} onPatient=${onPatient} /></section>`)}
    ${found.invariants.length > invariants.length && html`<p>Still held by every plan: ${counted(found.invariants.length - invariants.length, "invariant")} that ${found.invariants.length - invariants.length === 1 ? "bears" : "bear"} on it.</p>`}
    <p class="hint">${counted(found.unchanged, "other rule")}: the same for every patient.</p>`;
}

function Turn({ words, turn, onPatient }) {
  if (!turn) return null;
  const gone = turn.before.filter((one) => !turn.after.includes(one));
  const come = turn.after.filter((one) => !turn.before.includes(one));
  return html`<p>${words}</p><${Try} patient=${turn.patient} onPatient=${onPatient} />
    <ul>${gone.map((one) => html`<li key=${`-${one}`}>gone from the plan: ${one}</li>`)}${come.map((one) => html`<li key=${`+${one}`}>new in the plan: ${one}</li>`)}</ul>`;
}
