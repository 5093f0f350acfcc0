// Shows a FHIR Questionnaire in LHC-Forms, in headless Chromium and without a network, fills it in as a person does, and prints
// the QuestionnaireResponse that LHC-Forms makes of it, with what the page asked for and complained of, as JSON.
// Usage: node lhc-forms.mjs QUESTIONNAIRE ANSWERS, where ANSWERS is a list of [id of a field, what is done, text]
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { launched } from "../browser.mjs";

const FORMS = join(dirname(createRequire(import.meta.url).resolve("lforms/package.json")), "dist", "lforms");
const FILES = ["webcomponent/assets/lib/zone.min.js", "webcomponent/runtime.js", "webcomponent/polyfills.js", "webcomponent/main.js",
  "fhir/R4/lformsFHIR.min.js"];
const [questionnaire, answers] = await Promise.all(process.argv.slice(2).map(async (path) => JSON.parse(await readFile(path, "utf8"))));
const browser = await launched();
const seen = { requests: [], errors: [] };
try {
  const page = await browser.newPage();
  page.on("request", (request) => seen.requests.push(request.url()));
  page.on("pageerror", (error) => seen.errors.push(error.message));
  await page.setContent('<!doctype html><html lang="en"><title>Form</title><body><div id="form"></div></body></html>');
  for (const file of FILES) await page.addScriptTag({ path: join(FORMS, file) });
  await page.evaluate(async (form) => {
    const shown = globalThis.LForms.Util.convertFHIRQuestionnaireToLForms(form, "R4");
    await globalThis.LForms.Util.addFormToPage(shown, "form", {});
  }, questionnaire);
  const field = (id) => page.locator(`[id="${id}"]`);
  for (const [id, does, text] of answers) {
    if (does === "press") await field(id).click();
    else {
      await field(id).click();
      if (does === "choose") {
        await field(id).pressSequentially(text);
        await page.locator("#completionOptions li", { hasText: text }).first().click({ timeout: 5000 });
      } else await field(id).fill(text);
      await field(id).press("Tab");
    }
  }
  seen.problems = await page.evaluate(() => globalThis.LForms.Util.checkValidity());
  seen.response = await page.evaluate(() => globalThis.LForms.Util.getFormFHIRData("QuestionnaireResponse", "R4"));
  process.stdout.write(JSON.stringify(seen));
} finally {
  await browser.close();
}
