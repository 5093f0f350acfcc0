// The front page: what a clinician decides and signs from.
import { html } from "./preact.js";
import { capital, counted, spaced } from "./context.js";
import { Because, Level } from "./why.js";
import { goTo } from "./form.js";

const all = (tasks) => tasks.flatMap((task) => task.items);

export function Front({ front, level = 3, asks = true }) {
  const H = `h${level}`;
  const further = Object.entries({ difference: front.further?.differs, task: front.further?.tasks, question: front.further?.ask })
    .filter(([, number]) => number > 0).map(([word, number]) => counted(number, word));
  return html`<div class=${front.ready ? "front" : "front waits"}>
    <${H} class="headline">${front.headline}<//>
    ${front.decisions.length > 0 && html`<${H}>To decide<//><ol class="decisions">${front.decisions.map((row) => html`
      <li key=${row.topic + row.line} class=${`level-${row.level}`}>
        <${Because} items=${row.items} about=${row.line}><${Level} level=${row.level} /> ${row.line}${row.more
          ? ` With ${counted(row.more, "more decision")} on this.` : ""}
          ${(row.options ?? []).length > 0 && html`<p class="options">${row.options.map((one) => html`<span key=${one.value} class="box">${one.label}</span> `)}
            <small>${row.who ? `${capital(spaced(row.who))}, ${row.by_words}` : ""}</small></p>`}
          ${row.contested && html`<p class="hint">Contested: ${row.contested}</p>`}<//>
      </li>`)}</ol>`}
    ${front.route && html`<div class="route"><${Because} items=${[front.route.item]} about="the route"><strong>Route:
      ${" "}${front.route.choice.length === 2 ? front.route.choice.toUpperCase() : spaced(front.route.choice)}.</strong> ${front.route.line}
      ${" "}${front.route.as_wished ? "" : front.route.wish ? `The patient wishes: ${front.route.wish}.` : "The patient’s wish is not known."}<//></div>`}
    ${front.differs.length > 0 && html`<${H}>Differs from the standing protocol<//><ul>${front.differs.map((row) => html`
      <li key=${row.topic}><${Because} items=${row.items} about=${row.line}>${row.line}${row.more ? ` (${row.more} more)` : ""}<//></li>`)}</ul>`}
    ${front.tasks.length > 0 && html`<${H}>Tasks<//><ul>${front.tasks.map((row) => html`
      <li key=${row.who + row.by}><${Because} items=${all([row])} about=${`${spaced(row.who)}, ${row.by_words}`}><strong>${capital(spaced(row.who))}</strong>,
        ${" "}${row.by_words}: ${row.what.join("; ")}${row.more ? `; and ${row.more} more` : ""}<//></li>`)}</ul>`}
    ${front.ask.length > 0 && html`<${H}>Ask the patient<//><ul class="ask">${front.ask.map((row) => html`<li key=${row.pointer}>${asks
      ? html`<button type="button" class="quiet" onClick=${() => goTo(row.pointer)}>${row.about}</button>` : row.about}</li>`)}</ul>`}
    ${front.unread && html`<p class="unread">${front.unread.line}</p>`}
    ${further.length > 0 && html`<p class="hint">In the details: ${further.join(" and ")} more.</p>`}
  </div>`;
}
