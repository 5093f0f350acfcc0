// Shows a FHIR Questionnaire in Smart Forms, in headless Chromium and without a network, fills it in as a person does, and prints
// the QuestionnaireResponse that Smart Forms makes of it, with what the page asked for and complained of, as JSON.
// Usage: node smart-forms.mjs QUESTIONNAIRE ANSWERS, where ANSWERS is a list of [linkId, what is done there, text]
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { launched } from "../browser.mjs";

const [questionnaire, answers] = await Promise.all(process.argv.slice(2).map(async (path) => JSON.parse(await readFile(path, "utf8"))));
const bundle = await build({
  entryPoints: [fileURLToPath(new URL("smart-forms.jsx", import.meta.url))],
  bundle: true,
  write: false,
  jsx: "automatic",
  format: "iife",
  define: { "process.env.NODE_ENV": '"production"', global: "globalThis" },
  loader: { ".woff": "empty", ".woff2": "empty" },
  outdir: "out",
  logLevel: "error",
});
const script = bundle.outputFiles.find((file) => file.path.endsWith(".js"));
const browser = await launched();
const seen = { requests: [], errors: [] };
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 1600 } });
  page.on("request", (request) => seen.requests.push(request.url()));
  page.on("pageerror", (error) => seen.errors.push(error.message));
  await page.setContent('<!doctype html><html lang="en"><title>Form</title><body><div id="form"></div></body></html>');
  await page.addScriptTag({ content: script.text });
  await page.evaluate((form) => globalThis.show(form), questionnaire);
  await page.locator("[data-linkid]").first().waitFor();
  const box = (link) => page.locator(`[data-linkid="${link}"]`);
  const field = (link) => box(link).locator(':is(input, textarea):not([type="radio"], [aria-hidden="true"])').last();
  // The button for one more is within a question that repeats, and behind a group that does.
  const another = (link) => page.locator(`xpath=(//*[@data-linkid="${link}"]//button[contains(., "Add Item")]`
    + ` | //*[@data-linkid="${link}"]/following::button[contains(., "Add Item")])[1]`);
  for (const [link, does, text] of answers) {
    if (does === "add") await another(link).click();
    else if (does === "mark") await box(link).getByLabel(text, { exact: true }).first().click();
    else {
      await field(link).click();
      await field(link).fill(text);
      if (does === "choose") await page.getByRole("option", { name: text }).first().click();
      await field(link).press("Tab");
    }
    await page.waitForTimeout(500); // It takes in what is typed some time after the last key.
  }
  seen.response = await page.evaluate((form) => globalThis.answered(form), questionnaire);
  process.stdout.write(JSON.stringify(seen));
} finally {
  await browser.close();
}
