// Why a rule said nothing: looked up by its title or id.
import { html, useEffect, useState } from "./preact.js";
import { Search } from "./search.js";
import { Changes, Why } from "./why.js";
import { spaced, useShown } from "./context.js";
import { goTo } from "./form.js";
import * as service from "./service.js";

const text = (rule) => `${rule.title} ${spaced(rule.section)} ${rule.id.replaceAll("-", " ")}`.toLowerCase();

export function WhyNot({ rules }) {
  const { patient, current } = useShown();
  const [rule, setRule] = useState(null);
  const [answer, setAnswer] = useState(null);
  const find = async (typed) => {
    const words = typed.toLowerCase().split(/[\s-]+/).filter(Boolean);
    return rules.filter((one) => words.every((word) => text(one).includes(word))).slice(0, 10)
      .map((one) => ({ key: one.id, rule: one, text: one.title, more: one.id }));
  };
  useEffect(() => {
    if (!rule || !current) return undefined;
    let wanted = true;
    service.explained(patient).then(
      (found) => wanted && setAnswer({ report: found.rules.find((one) => one.rule.id === rule.id) }),
      (error) => wanted && setAnswer({ refused: error.message }),
    );
    return () => {
      wanted = false;
    };
  }, [rule, patient, current]);
  return html`<p>Look up a rule to see whether it holds for this patient, and if not, exactly why.</p>
    <${Search} id="rule-search" label="Search for a rule" hint="Words of its title or of its name." find=${find}
      onPick=${(row) => { setAnswer(null); setRule(row.rule); }} />
    <div role="status">${answer?.refused ?? (rule && answer?.report && html`<${Report} rule=${rule} report=${answer.report} />`)}</div>`;
}

function Report({ rule, report }) {
  const { items, plan } = useShown();
  const questions = new Map(plan.information_needed.map((one) => [one.pointer, one]));
  const outcome = {
    fired: "It holds: the plan says it.",
    not_fired: "It does not hold for this patient.",
    undecided: "It is not known yet whether it holds.",
  }[report.outcome];
  const missing = report.because_not ?? [];
  const open = (report.questions ?? []).map((pointer) => [pointer, questions.get(pointer)?.question ?? pointer]);
  return html`<section aria-label=${`Why not: ${rule.title}`}><h3>${rule.title}</h3><p><strong>${outcome}</strong></p>
    ${missing.length > 0 && html`<p>It would take:</p><ul>${missing.map((one, at) => html`<li key=${at}>${one.words}
      ${one.given.length > 0 && html` <small>(as it is: ${one.given.join("; ")})</small>`}</li>`)}</ul>`}
    ${open.length > 0 && html`<p>It hangs on these answers:</p><ul>${open.map(([pointer, words]) => html`<li key=${pointer}>
      <button type="button" class="quiet" onClick=${() => goTo(pointer)}>${words}</button></li>`)}</ul>`}
    ${(report.items ?? []).map((id) => items.get(id)).filter(Boolean).map((item) => html`<${Why} key=${item.id} item=${item} />`)}
    ${report.outcome !== "fired" && html`<${Changes} item=${rule.id} about=${rule.title} />`}
  </section>`;
}
