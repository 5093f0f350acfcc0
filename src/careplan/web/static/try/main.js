// The page: answers on one side, the plan as it changes with each of them on the other.
import { html, render, useEffect, useMemo, useRef, useState } from "./preact.js";
import { Card, Details, Protocol } from "./sheets.js";
import { Form, goTo } from "./form.js";
import { Front } from "./front.js";
import { Shown, counted, itemsOf } from "./context.js";
import { Tabs } from "./tabs.js";
import { TakeAlong } from "./take.js";
import { WhatIf } from "./whatif.js";
import { WhyNot } from "./whynot.js";
import { patched, withAnswer } from "./patient.js";
import * as service from "./service.js";

const PAUSE = 150;
const FORM_NAME = "the questions";

function App() {
  const [known, setKnown] = useState(null);
  const [problem, setProblem] = useState(null);
  const [patient, setPatient] = useState({});
  const [begun, setBegun] = useState(0);
  const [made, setMade] = useState(null);
  const [kept, setKept] = useState(null);
  const [tab, setTab] = useState("front");
  const needed = useRef(false);

  const load = async () => {
    try {
      const [form, conditions, rules] = await Promise.all([service.form(), service.conditions(), service.rules()]);
      setKnown({ form, conditions, rules });
      setProblem(null);
    } catch (error) {
      needed.current ||= error.problem?.status === 401;
      setProblem(error.problem ?? { title: `Without ${FORM_NAME} there is no form.` });
    }
  };
  useEffect(load, []);

  useEffect(() => {
    if (!known) return undefined;
    const stop = new AbortController();
    const later = setTimeout(async () => {
      try {
        const plan = await service.planned(patient, stop.signal);
        setMade({ plan, patient });
        setProblem(null);
      } catch (error) {
        if (!stop.signal.aborted) setProblem(error.problem ?? { title: "This page failed." });
      }
    }, PAUSE);
    return () => {
      clearTimeout(later);
      stop.abort();
    };
  }, [patient, known]);

  const begin = (body) => {
    setPatient(body);
    setBegun(begun + 1);
  };
  const onAnswer = (pointer, answer) => setPatient((before) => withAnswer(before, pointer, answer));
  const onTry = (patch) => {
    setKept(made);
    begin(patched(patient, patch));
    setTab("what-if");
  };
  const items = useMemo(() => (made ? itemsOf(made.plan) : new Map()), [made]);
  const current = made !== null && made.patient === patient && problem === null;
  const faults = problem?.errors ?? [];

  if (!known) return html`<main><h1>Try a care plan</h1><${Unready} problem=${problem} needsKey=${needed.current} onKey=${load} /></main>`;
  const { form, conditions, rules } = known;
  const plan = made?.plan;
  const asked = new Set(plan?.front.ask.map((one) => one.pointer) ?? []);
  const shown = { plan, patient, items, current, onTry, needsKey: form.needs_key, linked: !form.needs_key };
  const tabs = plan && [
    ["front", "Front", () => html`<${Front} front=${plan.front} />`],
    ["card", "Card", () => html`<${Card} />`],
    ["details", "Details", () => html`<${Details} />`],
    ["protocol", "Protocol", () => html`<${Protocol} />`],
    ["why-not", "Why not", () => html`<${WhyNot} rules=${rules} />`],
    ["what-if", "What if", () => html`<${WhatIf} kept=${kept} onKeep=${() => setKept(made)} onDrop=${() => setKept(null)}
      onBack=${() => begin(kept.patient)} />`],
    ["take", "Take along", () => html`<${TakeAlong} />`],
  ];
  return html`
    <a class="skip" href="#plan">Skip to the plan</a>
    <header>
      <p class="banner" role="note"><strong>Made-up patients only.</strong> Nothing is stored, and nothing here is medical advice.</p>
      <h1>Try a care plan</h1>
      <p class="hint">${form.rulebook}. A clinician signs every plan; this page only shows what would be drafted.</p>
      <div role="group" aria-label="Begin with an example" class="examples">Begin with:
        ${form.examples.map((one) => html` <button type="button" key=${one.name} onClick=${() => begin(one.patient)}>${one.name}</button>`)}
      </div>
    </header>
    <${Shown.Provider} value=${shown}>
      <div class="columns">
        <main class="answers" aria-label="Answers">
          <h2>Answers</h2>
          ${plan?.front.ask.length > 0 && html`<p><button type="button" onClick=${() => goTo(plan.front.ask[0].pointer)}>Go to the next
            question to ask</button></p>`}
          <${Form} key=${begun} ...${{ form, patient, asked, faults, conditions, onAnswer }} />
          ${plan && html`<p class="to-plan"><button type="button" onClick=${toPlan}>To the plan: ${plan.front.headline}</button></p>`}
        </main>
        <section id="plan" class="plan" tabindex="-1" aria-label="The plan">
          <h2>The plan</h2>
          <p role="status" class="state" id="state" data-current=${current ? "true" : "false"}>${state(plan, problem)}</p>
          ${faults.length > 0 && html`<ul class="faults">${faults.map((fault) => html`<li key=${fault.pointer + fault.detail}><button type="button"
            class="quiet" onClick=${() => goTo(fault.pointer)}>${fault.pointer || "the request"}</button> ${fault.detail}</li>`)}</ul>`}
          ${tabs && html`<${Tabs} tabs=${tabs} open=${tab} onOpen=${setTab} stale=${!current} />`}
        </section>
      </div>
    <//>`;
}

/** On a telephone the plan stands below all answers. */
function toPlan() {
  const plan = document.getElementById("plan");
  plan.focus({ preventScroll: true });
  plan.scrollIntoView();
}

/** The state of the plan, for everybody to read and for screen readers to say when it has become another one. */
function state(plan, problem) {
  if (problem) return `${problem.detail || problem.title} ${plan ? "The plan below is the last one that could be made." : ""}`;
  if (!plan) return "The plan is being made.";
  const open = counted(plan.information_needed.length, "question");
  return `${plan.front.headline} ${open} could still change it.`;
}

function Unready({ problem, needsKey, onKey }) {
  const submit = (event) => {
    event.preventDefault();
    service.showKey(event.target.elements.key.value);
    onKey();
  };
  if (!needsKey) return html`<p role="status">${problem ? problem.detail || problem.title : "The questions are being fetched."}</p>`;
  return html`<form onSubmit=${submit}>
    <p>This service asks who is calling. The key stays in the memory of this page and is gone when you leave it.</p>
    <label for="key">API key</label> <input id="key" name="key" type="password" autocomplete="off" required />
    <button>Use it</button>
    <p role="status">${problem && problem.detail}</p>
  </form>`;
}

// A browser may keep a page that was left, to go back to it: then it begins anew.
addEventListener("pageshow", (event) => event.persisted && location.reload());

const root = document.getElementById("app");
root.replaceChildren();
render(html`<${App} />`, root);
