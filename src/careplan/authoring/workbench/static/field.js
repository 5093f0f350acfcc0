// The text of a rule's file, with what the schema allows at the caret in a list below it.
import { html, useEffect, useRef, useState } from "./preact.js";
import { ask, counted, inCharacters, inUnits } from "./parts.js";

const PAUSE = 120;
/** After this the list opens by itself: a letter of a word, or where a value begins. */
const TELLING = /[\w-]$|[{[]\s?$|: $|, $/;
const NONE = { offers: [], more: 0, start: 0, end: 0 };

export function Field({ field, text, onText }) {
  const [found, setFound] = useState(NONE);
  const [at, setAt] = useState(0);
  const [spot, setSpot] = useState({});
  const turn = useRef(0);
  const { offers, more } = found;
  const open = offers.length > 0;

  const close = () => {
    turn.current += 1;
    setFound(NONE);
  };
  const look = (pause, wanted = false) => {
    const mine = (turn.current += 1);
    setTimeout(async () => {
      const { value, selectionStart, selectionEnd } = field.current ?? {};
      if (mine !== turn.current || selectionStart !== selectionEnd) return;
      try {
        const said = await ask("/complete", { text: value, at: inCharacters(value, selectionStart) });
        const answer = { ...NONE, ...said, start: inUnits(value, said.start), end: inUnits(value, said.end) };
        if (mine !== turn.current) return;
        // Where nothing was typed yet and nobody asked, none is chosen, and Enter begins a line as ever.
        setAt(wanted || answer.start < selectionStart ? 0 : -1);
        setSpot(below(field.current, answer.start));
        setFound(answer);
      } catch {
        setFound(NONE);
      }
    }, pause);
  };
  const take = (offer) => {
    const one = field.current;
    one.focus();
    one.setSelectionRange(found.start, found.end);
    // The one way to write into a field that leaves undoing whole.
    if (!document.execCommand("insertText", false, offer.text)) {
      one.setRangeText(offer.text, found.start, found.end, "end");
      onText(one.value);
    }
    const caret = found.start + offer.text.length - (offer.back ?? 0);
    one.setSelectionRange(caret, caret);
    setFound(NONE);
    look(PAUSE);
  };
  const onKeyDown = (event) => {
    if (event.ctrlKey && event.code === "Space") {
      event.preventDefault();
      look(0, true);
    } else if (!open) {
      return;
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      setAt(event.key === "ArrowDown" ? (at + 1) % offers.length : (at > 0 ? at : offers.length) - 1);
    } else if (event.key === "Enter" && at >= 0) {
      event.preventDefault();
      take(offers[at]);
    } else if (event.key === "Escape" || event.key === "Enter" || event.key.startsWith("Arrow") || event.key === "Home" || event.key === "End") {
      if (event.key === "Escape") event.preventDefault();
      close();
    }
  };
  useEffect(() => document.getElementById(`offer-${at}`)?.scrollIntoView({ block: "nearest" }), [at, found]);
  const onInput = (event) => {
    const { value, selectionStart } = event.target;
    onText(value);
    if (TELLING.test(value.slice(Math.max(0, selectionStart - 2), selectionStart))) look(PAUSE);
    else close();
  };
  return html`<label for="text">The file</label>
    <p class="hint" id="text-hint">What can stand at the caret is listed while you type, and with Ctrl and Space. Arrows choose, Enter takes,
      Escape closes.</p>
    <div class="writing">
      <textarea id="text" ref=${field} spellcheck=${false} autocomplete="off" value=${text} aria-describedby="text-hint"
        aria-autocomplete="list" aria-haspopup="listbox" aria-controls="offers" aria-activedescendant=${open && at >= 0 ? `offer-${at}` : null}
        onInput=${onInput} onKeyDown=${onKeyDown} onMouseDown=${close} onBlur=${() => setTimeout(close, 150)}></textarea>
      <ul id="offers" role="listbox" aria-label="What can stand here" class=${open ? "offers" : "offers closed"} style=${spot}>
        ${offers.map((offer, place) => html`<li key=${offer.name} id=${`offer-${place}`} role="option"
          aria-selected=${place === at ? "true" : "false"} onMouseDown=${(event) => event.preventDefault()}
          onClick=${() => take(offer)}><code>${offer.name}</code>${offer.says && html` <small>${offer.says}</small>`}</li>`)}
      </ul>
      <p class="unseen" role="status">${open ? `${counted(offers.length + more, "thing")} can stand here` : ""}</p>
    </div>`;
}

/** Where the list goes: below the line of the word. */
function below(field, start) {
  const style = getComputedStyle(field);
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = style.font;
  const before = field.value.slice(0, start).split("\n");
  const left = parseFloat(style.paddingLeft) + pen.measureText("0").width * before.at(-1).length - field.scrollLeft;
  const top = parseFloat(style.paddingTop) + parseFloat(style.lineHeight) * before.length - field.scrollTop + 4;
  return { left: `${Math.max(0, Math.min(left, field.clientWidth - 420))}px`, top: `${Math.max(0, Math.min(top, field.clientHeight))}px` };
}
