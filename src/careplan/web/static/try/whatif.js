// Two versions of a patient side by side: one that was kept, and the one that is being answered.
import { html, useEffect, useState } from "./preact.js";
import { Front } from "./front.js";
import { Shown, itemsOf, useShown } from "./context.js";
import { patchBetween } from "./patient.js";
import * as service from "./service.js";

export function WhatIf({ kept, onKeep, onBack, onDrop }) {
  const shown = useShown();
  const { patient, plan, current } = shown;
  const [answer, setAnswer] = useState(null);
  useEffect(() => {
    if (!kept || !current) return undefined;
    let wanted = true;
    service.compared(kept.patient, patchBetween(kept.patient, patient)).then(
      (difference) => wanted && setAnswer({ difference }),
      (error) => wanted && setAnswer({ refused: error.message }),
    );
    return () => {
      wanted = false;
    };
  }, [kept, patient, current]);
  if (!kept) {
    return html`<p>Keep the plan as it is now as version A. Then change answers, and both stand here side by side.</p>
      <button type="button" disabled=${!current} onClick=${onKeep}>Keep this as version A</button>`;
  }
  const words = answer?.difference?.in_words ?? [];
  return html`<p><button type="button" onClick=${onBack}>Go back to version A</button>
      ${" "}<button type="button" disabled=${!current} onClick=${onKeep}>Take this version as A</button>
      ${" "}<button type="button" onClick=${onDrop}>Drop version A</button></p>
    <div class="beside">
      <section aria-label="Version A"><h3>Version A</h3>
        <${Shown.Provider} value=${{ ...shown, ...kept, items: itemsOf(kept.plan) }}><${Front} front=${kept.plan.front} level=${4} asks=${false} /><//></section>
      <section aria-label="This version"><h3>This version</h3><${Front} front=${plan.front} level=${4} /></section>
    </div>
    <h3>What differs</h3>
    <div role="status" id="difference">${answer?.refused ?? (answer?.difference?.same ? html`<p>Nothing.</p>`
      : html`<ul>${words.map((line, at) => html`<li key=${at}>${line}</li>`)}</ul>`)}</div>`;
}
