// What the lists of medicines and of illnesses have in common: lines that are pasted, and lines as they were understood.
import { html, useState } from "./preact.js";
import { counted } from "./context.js";

const MOST_LINES = 100;

/** A text of which each line becomes an entry. `there` is how many there are already; `onLines(lines)` takes them. */
export function Pasted({ id, label, there, onLines }) {
  const [pasted, setPasted] = useState("");
  const [said, setSaid] = useState("");
  const lines = pasted.split("\n").map((line) => line.trim()).filter(Boolean);
  const read = () => {
    const room = MOST_LINES - there;
    onLines(lines.slice(0, room));
    setSaid(`${counted(Math.min(lines.length, room), "line")} read.`
      + (lines.length > room ? ` ${lines.length - room} more do not fit.` : ""));
    setPasted(lines.slice(room).join("\n"));
  };
  return html`<label for=${id}>${label}</label>
    <textarea id=${id} rows="3" autocomplete="off" spellcheck=${false} value=${pasted}
      onInput=${(event) => setPasted(event.target.value)}></textarea>
    <button type="button" disabled=${lines.length === 0} onClick=${read}>Read ${counted(lines.length, "line")}</button>
    <p role="status" class="hint">${said}</p>`;
}

/** How many entries were understood, for whoever does not see the marks; nothing while the plan is being made. */
export function Tally({ reads, of }) {
  const number = (recognition) => reads.filter((one) => one.recognition === recognition).length;
  const words = [
    `${number("read")} of ${counted(of, "entry", "entries")} understood`,
    number("known") > 0 && `${number("known")} known without a rule`,
    number("unread") > 0 && `${number("unread")} not understood`,
  ];
  return html`<p role="status" class="hint">${of > 1 && reads.length === of && `${words.filter(Boolean).join(", ")}.`}</p>`;
}

/** An entry as it was written, with what nobody understood marked in it. Places are counted in code points. */
export function Marked({ text, unclear }) {
  const signs = [...text];
  const pieces = [];
  let done = 0;
  for (const part of unclear) {
    pieces.push(signs.slice(done, part.start).join(""));
    pieces.push(html`<mark>${signs.slice(part.start, part.end).join("")}</mark>`);
    done = part.end;
  }
  return html`<strong>${pieces}${signs.slice(done).join("")}</strong>`;
}

/** A button that takes an entry out of its list, and the focus, which would be nowhere, to the whole of the list. */
export function Remove({ name, list, onRemove }) {
  const remove = () => {
    document.getElementById(list)?.focus();
    onRemove();
  };
  return html`<button type="button" class="quiet" onClick=${remove}>Remove<span class="unseen"> ${name}</span></button>`;
}
