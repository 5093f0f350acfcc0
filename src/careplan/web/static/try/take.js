// What can be taken along: the plan as a file of each form, the request, and the command that sends it.
import { html, useState } from "./preact.js";
import { useShown } from "./context.js";
import * as service from "./service.js";

const FORMS = [
  { words: "PDF, to sign", path: "/v1/care-plans", accept: "application/pdf", name: "plan.pdf" },
  { words: "PDF of the patient’s card", path: "/v1/care-plans?for=patient", accept: "application/pdf", name: "card.pdf" },
  { words: "Plan as JSON", path: "/v1/care-plans", accept: "application/json", name: "plan.json" },
  { words: "Plan as FHIR", path: "/v1/care-plans", accept: "application/fhir+json", name: "plan.fhir.json" },
];

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

const command = (patient) => {
  const body = JSON.stringify(patient).replaceAll("'", "'\\''");
  return `curl -s ${location.origin}/v1/care-plans -H 'Content-Type: application/json' -d '${body}'`;
};

export function TakeAlong() {
  const { patient, needsKey } = useShown();
  const [said, setSaid] = useState("");
  const take = async (form) => {
    setSaid(`${form.words} is being made.`);
    try {
      save(await service.file(patient, form), form.name);
      setSaid(`${form.name} was handed to the browser.`);
    } catch (error) {
      setSaid(error.message);
    }
  };
  const copy = async () => {
    const field = document.getElementById("curl");
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
      setSaid("Copied.");
    } catch {
      setSaid("The browser does not let this page copy; the command is selected.");
    }
  };
  const request = new Blob([`${JSON.stringify(patient, null, 2)}\n`], { type: "application/json" });
  return html`<ul class="forms">${FORMS.map((form) => html`<li key=${form.name}><button type="button"
      onClick=${() => take(form)}>${form.words}</button></li>`)}
      <li><button type="button" onClick=${() => save(request, "patient.json")}>The request as JSON</button></li></ul>
    <p role="status">${said}</p>
    <label for="curl">The same from a shell${needsKey ? ", with your key in an X-API-Key header besides" : ""}</label>
    <textarea id="curl" rows="6" readonly value=${command(patient)}></textarea>
    <button type="button" onClick=${copy}>Copy</button>`;
}
