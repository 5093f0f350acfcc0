// The other pages of a plan: the patient's card, the details, the standing protocol.
import { html } from "./preact.js";
import { capital, useShown } from "./context.js";
import { Because, Level } from "./why.js";
import { goTo } from "./form.js";

export function Card() {
  const { card } = useShown().plan;
  const parts = Object.keys(card.titles).filter((slot) => card[slot]?.length > 0);
  return html`<article class="card" lang=${card.language}>
    <h3>${card.title}</h3><p><strong>${card.notice}</strong></p>
    ${parts.map((slot) => html`<section key=${slot}><h4>${card.titles[slot]}</h4>
      <ul>${card[slot].map((line, at) => html`<${CardLine} key=${at} line=${line} />`)}</ul></section>`)}
    <p class="crisis">${card.crisis.text}</p>
    ${card.companion && html`<section><h4>${card.companion.title}</h4>
      <ul>${card.companion.lines.map((line, at) => html`<${CardLine} key=${at} line=${line} />`)}</ul></section>`}
  </article>`;
}

const CardLine = ({ line }) => html`<li class=${line.does ? "does" : null} lang=${line.language}>
  <${Because} items=${line.item ? [line.item] : []} about=${line.text}>${line.text}${line.blank && html` <span class="room"></span>`}<//></li>`;

export function Details() {
  const { plan } = useShown();
  const about = (items) => items.filter((item) => item.scope !== "standing");
  const sections = plan.sections.map((one) => ({ ...one, items: about(one.items) })).filter((one) => one.items.length > 0);
  return html`
    ${plan.alerts.length > 0 && html`<h3>Alerts</h3>${plan.alerts.map((item) => html`<${Item} key=${item.id} item=${item} />`)}`}
    ${sections.map((one) => html`<section key=${one.section}><h3>${one.title}</h3>
      ${one.items.map((item) => html`<${Item} key=${item.id} item=${item} />`)}</section>`)}
    ${plan.information_needed.length > 0 && html`<h3>Questions that could change this plan</h3>
      <ul>${plan.information_needed.map((one) => html`<li key=${one.pointer}><button type="button" class="quiet"
        onClick=${() => goTo(one.pointer)}>${one.question}</button> <small>${one.why_it_matters}</small></li>`)}</ul>`}
    ${plan.not_considered.length > 0 && html`<h3>Sent, but not considered</h3>
      <ul>${plan.not_considered.map((one, at) => html`<li key=${at}>${one.what}: ${one.why}</li>`)}</ul>`}
    <h3>Sources</h3>
    <ul>${plan.sources.map((one) => html`<li key=${one.id}>${one.title} <small>(read: ${one.read})</small></li>`)}</ul>`;
}

export function Protocol() {
  const { plan } = useShown();
  const sections = plan.sections
    .map((one) => ({ ...one, items: one.items.filter((item) => item.scope === "standing") }))
    .filter((one) => one.items.length > 0);
  return html`<p>True of every patient of this product and stage at the clinic. Rulebook ${plan.standing.version}.</p>
    ${sections.map((one) => html`<section key=${one.section}><h3>${one.title}</h3>
      ${one.items.map((item) => html`<${Item} key=${item.id} item=${item} />`)}</section>`)}`;
}

function Item({ item }) {
  return html`<article class=${`item level-${item.level}`}>
    <${Because} items=${[item.id]} about=${item.title}>
      <h4><${Level} level=${item.level} /> ${item.title}</h4>
      <p>${item.line}</p>
      ${(item.asks ?? []).length > 0 && html`<ul>${item.asks.map((ask, at) => html`<li key=${at}><strong>${capital(ask.who)}</strong>,
        ${" "}${ask.by_words}: ${ask.what}</li>`)}</ul>`}
      <p class="hint" lang=${item.patient_language}>Words for the patient: ${item.patient_text}</p>
    <//>
  </article>`;
}
