// A field to search in: the combobox of the ARIA authoring practices, with its list below it.
import { html, useEffect, useRef, useState } from "./preact.js";

/**
 * `find(typed, signal)` gives rows {key, text, more}; `onPick(row)` takes one, by click or by Enter.
 */
export function Search({ id, label, hint, find, onPick }) {
  const [typed, setTyped] = useState("");
  const [rows, setRows] = useState([]);
  const [at, setAt] = useState(0);
  const [open, setOpen] = useState(false);
  const field = useRef(null);

  useEffect(() => {
    const sought = typed.trim();
    if (!sought) {
      setRows([]);
      return undefined;
    }
    const stop = new AbortController();
    const later = setTimeout(async () => {
      try {
        setRows(await find(sought, stop.signal));
        setAt(0);
      } catch {
        if (!stop.signal.aborted) setRows([]);
      }
    }, 120);
    return () => {
      clearTimeout(later);
      stop.abort();
    };
  }, [typed]);

  const pick = (row) => {
    onPick(row);
    setTyped("");
    setOpen(false);
    field.current?.focus();
  };
  const onKeyDown = (event) => {
    const shown = open && rows.length > 0;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      setOpen(true);
      if (shown) setAt((at + (event.key === "ArrowDown" ? 1 : rows.length - 1)) % rows.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (shown) pick(rows[at]);
    } else if (event.key === "Escape") {
      setOpen(false);
    }
  };
  const shown = open && rows.length > 0;
  return html`<div class="search">
    <label for=${id}>${label}</label>
    ${hint && html`<p class="hint" id=${`${id}-hint`}>${hint}</p>`}
    <input id=${id} ref=${field} type="text" role="combobox" autocomplete="off" spellcheck=${false} value=${typed}
      aria-autocomplete="list" aria-expanded=${shown ? "true" : "false"} aria-controls=${`${id}-list`}
      aria-describedby=${hint ? `${id}-hint` : null} aria-activedescendant=${shown ? `${id}-${at}` : null}
      onInput=${(event) => { setTyped(event.target.value); setOpen(true); }}
      onKeyDown=${onKeyDown} onBlur=${() => setTimeout(() => setOpen(false), 150)} />
    <ul id=${`${id}-list`} role="listbox" aria-label=${label} class=${shown ? "found" : "found closed"}>
      ${shown && rows.map((row, place) => html`<li key=${row.key} id=${`${id}-${place}`} role="option"
        aria-selected=${place === at ? "true" : "false"} onMouseDown=${(event) => event.preventDefault()}
        onClick=${() => pick(row)}>${row.text}${row.more && html` <small>${row.more}</small>`}</li>`)}
    </ul>
    <p class="unseen" role="status">${typed.trim() && open ? `${rows.length} found` : ""}</p>
  </div>`;
}
