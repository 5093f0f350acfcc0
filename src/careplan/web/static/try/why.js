// Why a line is there: its rule, the facts, what it rests on; and what would change it.
import { html, useEffect, useState } from "./preact.js";
import { capital, spaced, useShown } from "./context.js";
import * as service from "./service.js";

let made = 0;

const told = new WeakMap();

/** What each place says that a rule rests on, by source and place: asked for once for each version of the answers. */
function usePassages(patient, rule) {
  const [passages, setPassages] = useState(new Map());
  useEffect(() => {
    let wanted = true;
    if (!told.has(patient)) told.set(patient, service.explained(patient));
    told.get(patient).then(({ rules }) => {
      const found = rules.find((one) => one.rule.id === rule)?.rests_on ?? [];
      if (wanted) setPassages(new Map(found.map((one) => [`${one.source} ${one.place}`, one.passage])));
    }, () => told.delete(patient));
    return () => {
      wanted = false;
    };
  }, [patient, rule]);
  return passages;
}

/** What is said, with a button that shows why. `items` are ids; a line behind which there is none has no button. */
export function Because({ items, about, children }) {
  const [open, setOpen] = useState(false);
  const [id] = useState(() => `why-${(made += 1)}`);
  const shown = useShown();
  const found = items.map((item) => shown.items.get(item)).filter(Boolean);
  return html`${children}${found.length > 0 && html` <button type="button" class="quiet why-button" aria-expanded=${open ? "true" : "false"}
      aria-controls=${id} onClick=${() => setOpen(!open)}>Why?<span class="unseen"> ${about}</span></button>`}
    <div id=${id} class="why-panel" hidden=${!open}>${open && found.map((item) => html`<${Why} key=${item.id} item=${item} />`)}</div>`;
}

export function Why({ item }) {
  const { plan, patient, linked } = useShown();
  const passages = usePassages(patient, item.rule.id);
  const titles = new Map(plan.sources.map((source) => [source.id, source]));
  const assumes = item.assumes ?? [];
  return html`<section class=${`reason level-${item.level}`} aria-label=${`Why: ${item.title}`}>
    <h4><${Level} level=${item.level} /> ${item.title}</h4>
    <p>${item.clinician_text}</p>
    <dl>
      <dt>Because the patient</dt>
      <dd>${item.because.length > 0 ? item.because.join("; ") : "is here: it holds for everybody"}</dd>
      ${assumes.length > 0 && html`<dt>Assumes</dt><dd>${assumes.map((one) => one.words).join(" ")}</dd>`}
      ${item.contested && html`<dt>Contested</dt><dd>${item.contested}</dd>`}
      <dt>Rule</dt>
      <dd>${linked ? html`<a href=${`/rulebook/rules/${item.rule.id}.html`} target="_blank" rel="noopener noreferrer">${item.rule.id}</a>`
        : item.rule.id}, version ${item.rule.version}, ${item.rule.status}</dd>
      <dt>Rests on</dt>
      <dd><${Evidence} evidence=${item.evidence} titles=${titles} passages=${passages} /></dd>
    </dl>
    <${Changes} item=${item.id} about=${item.title} />
  </section>`;
}

const AT_ONCE = 3;

function Evidence({ evidence, titles, passages }) {
  const row = (one, at) => html`<li key=${at}>${titles.get(one.source)?.title ?? one.source}: ${one.place}
    <small> (${spaced(one.strength)}${titles.get(one.source) ? `; read: ${spaced(titles.get(one.source).read)}` : ""})</small>
    ${passages.get(`${one.source} ${one.place}`) && html`<br /><span class="passage">It says: ${passages.get(`${one.source} ${one.place}`)}</span>`}</li>`;
  const rest = evidence.slice(AT_ONCE);
  return html`<ul>${evidence.slice(0, AT_ONCE).map(row)}</ul>
    ${rest.length > 0 && html`<details><summary>${rest.length} more</summary><ul>${rest.map(row)}</ul></details>`}`;
}

export function Level({ level }) {
  const { plan } = useShown();
  return html`<span class="level">${capital(plan.level_words[level] ?? level)}</span>`;
}

/** What would make an item go away, or a rule come up: asked for on a button, forgotten when an answer changes. */
export function Changes({ item, about }) {
  const { patient, onTry } = useShown();
  const [answer, setAnswer] = useState(null);
  useEffect(() => setAnswer(null), [patient, item]);
  const ask = async () => {
    try {
      setAnswer({ found: await service.whatWouldChange(patient, item) });
    } catch (error) {
      setAnswer({ refused: error.message });
    }
  };
  return html`<div class="changes">
    <button type="button" onClick=${ask}>What would change this?<span class="unseen"> ${about}</span></button>
    <div role="status">${answer?.refused ?? (answer && html`<${Ways} found=${answer.found} onTry=${onTry} />`)}</div>
  </div>`;
}

function Ways({ found, onTry }) {
  const fixed = found.fixed ?? [];
  if (found.ways.length === 0) {
    return html`<p>Nothing that patient or clinic could change would ${found.there ? "take this away" : "bring this up"}.
      ${fixed.length > 0 && ` In the way: ${fixed.join("; ")}.`}</p>`;
  }
  return html`<p>It would ${found.there ? "go away" : "come up"} with one of these:</p>
    <ul>${found.ways.map((way, at) => html`<li key=${at}>${way.changes.map((one) => `${one.now} → ${one.then}`).join("; ")}
      ${(way.besides ?? []).length > 0 && html`<small> ${way.besides.join(" ")}</small>`}
      ${" "}<button type="button" class="quiet" onClick=${() => onTry(way.patch)}>Try it beside this version</button></li>`)}</ul>`;
}
