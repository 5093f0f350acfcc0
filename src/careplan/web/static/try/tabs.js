// Tabs with the keys that people expect: arrows, Home and End.
import { html } from "./preact.js";

export function Tabs({ tabs, open, onOpen, stale }) {
  const at = tabs.findIndex(([name]) => name === open);
  const onKeyDown = (event) => {
    const step = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const [name] = tabs[(step + tabs.length) % tabs.length];
    onOpen(name);
    document.getElementById(`tab-${name}`).focus();
  };
  const [, , show] = tabs[at];
  return html`<div role="tablist" aria-label="Pages of the plan" class="tabs" onKeyDown=${onKeyDown}>
      ${tabs.map(([name, words]) => html`<button type="button" role="tab" key=${name} id=${`tab-${name}`} tabindex=${name === open ? 0 : -1}
        aria-selected=${name === open ? "true" : "false"} aria-controls="sheet" onClick=${() => onOpen(name)}>${words}</button>`)}
    </div>
    <div role="tabpanel" id="sheet" aria-labelledby=${`tab-${open}`} tabindex="0" class=${stale ? "stale" : null} key=${open}>${show()}</div>`;
}
