// Uses the page /try of a running service as a person does, in headless Chromium, and prints what was seen as JSON.
// Usage: node try.mjs ADDRESS
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { launched } from "./browser.mjs";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const [address] = process.argv.slice(2);
const browser = await launched();
const seen = { console: [], requests: [], violations: [], axe: [] };
try {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, acceptDownloads: true });
  const page = await context.newPage();
  page.on("console", (message) => seen.console.push(message.text()));
  page.on("pageerror", (error) => seen.console.push(error.message));
  page.on("request", (request) => seen.requests.push(`${request.method()} ${request.url()}`));
  await page.exposeFunction("noteViolation", (words) => seen.violations.push(words));
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => globalThis.noteViolation(`${event.violatedDirective} ${event.blockedURI}`));
  });
  // By the driver and not as an element of the page, whose policy would refuse it.
  const judge = async (name) => {
    const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
    await page.evaluate(axe);
    const found = await page.evaluate((tags) => globalThis.axe.run({ runOnly: tags }), rules);
    seen.axe.push(...found.violations.map((one) => `${name}: ${one.id}: ${one.nodes[0].html}`));
    seen.judged = (seen.judged ?? 0) + found.passes.length;
  };
  const sheet = page.locator("#sheet");
  const state = page.locator("#state");
  const settled = (words) => page.waitForFunction(
    (sought) => {
      const said = document.querySelector("#state");
      return said?.dataset.current === "true" && new RegExp(sought).test(said.textContent);
    }, words);
  const open = (name) => page.getByRole("tab", { name, exact: true }).click();

  const answer = await page.goto(`${address}/try`);
  seen.policy = answer.headers()["content-security-policy"];
  await settled("could still change");
  seen.banner = await page.getByRole("note").innerText();
  seen.empty = await sheet.innerText();
  await page.keyboard.press("Tab");
  seen.skip = await page.evaluate(() => document.activeElement.textContent);

  // Keys alone: search for a misspelt medicine, and take the first that is found.
  await page.getByRole("combobox", { name: "Search for a medicine" }).focus();
  await page.keyboard.type("xanaxx");
  await page.locator("#medicine-search-list [role=option]").first().waitFor();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("Enter");
  seen.focus = await page.evaluate(() => document.activeElement.id);
  await page.locator(".entry.read").first().waitFor();

  await page.getByLabel("Or paste a list, one medicine a line").fill("\nlorazepam 1 mg at bedtime for insomnia\n\nzzqblorptan 5 mg\n");
  await page.getByRole("button", { name: "Read 2 lines" }).click();
  await page.locator(".entry.unread").waitFor();
  seen.medicines = await page.locator("#at-medications .entry").allInnerTexts();

  const age = page.getByLabel("How old are you?");
  await age.fill("quarante");
  await page.locator("#at-age_years-faults").waitFor();
  seen.fault = await page.locator("#at-age_years-faults").innerText();
  seen.invalid = [await age.getAttribute("aria-invalid"), await age.getAttribute("aria-describedby")];
  await age.fill("44.");
  await age.fill("44");
  await settled("could still change");
  seen.mended = [await age.getAttribute("aria-invalid"), await age.inputValue()];

  await page.locator("details.group", { hasText: "Lifestyle" }).locator("summary").first().click();
  const sleep = page.locator("#at-lifestyle-sleep_hours_per_night");
  await sleep.pressSequentially("5.5");
  seen.typed = await sleep.inputValue();

  await page.locator("details.group", { hasText: "Illnesses" }).locator("summary").first().click();
  await page.getByRole("combobox", { name: "Search for an illness" }).fill("high blood");
  await page.locator("#illness-search-list [role=option]").first().click();
  await page.getByRole("combobox", { name: "Search for an illness" }).fill("vexatious marsupial");
  await page.locator("#illness-search-list [role=option]", { hasText: "as written" }).click();
  await settled("could still change");
  seen.illnesses = await page.locator("#at-conditions .entry").allInnerTexts();
  await page.getByLabel("Or paste a list, one illness a line").fill("had a seizure in 2019\nno history of stroke\n\nhypertension, gout and zzqx\n");
  await page.getByRole("button", { name: "Read 3 lines" }).click();
  await page.locator("#at-conditions .entry.unread mark", { hasText: "zzqx" }).waitFor();
  seen.written = await page.locator("#at-conditions .entry").allInnerTexts();
  seen.tally = await page.locator("#at-conditions [role=status]").allInnerTexts();
  // Taking entries out by keys leaves the focus at the list, from which one goes on.
  for (const name of ["had a seizure in 2019", "no history of stroke", "hypertension, gout and zzqx"]) {
    await page.getByRole("button", { name: `Remove ${name}` }).focus();
    await page.keyboard.press("Enter");
  }
  seen.removed = await page.evaluate(() => document.activeElement.id);
  await settled("could still change");
  await open("Take along");
  seen.curl = await page.locator("#curl").inputValue();

  await page.getByRole("button", { name: "signed protocol as needed lorazepam" }).click();
  await settled("Not ready: 1 decision first");
  seen.also = await page.getByRole("region", { name: "Also sent" }).innerText();
  await open("Front");
  seen.front = await sheet.innerText();
  await page.getByRole("button", { name: /^Why\? .*lorazepam/i }).first().click();
  await page.locator(".why-panel:not([hidden]) .passage").first().waitFor();
  seen.why = await page.locator(".why-panel:not([hidden])").innerText();
  await page.getByRole("button", { name: /^Why\? the route/ }).click();
  const route = page.locator(".route .why-panel");
  await route.getByRole("button", { name: /^What would change this/ }).click();
  await route.getByRole("button", { name: "Try it beside this version" }).first().click();
  await settled("could still change");
  await page.locator("#difference li").first().waitFor();
  seen.beside = await page.locator(".beside h4.headline").allInnerTexts();
  seen.difference = await page.locator("#difference").innerText();
  await page.getByRole("button", { name: "Go back to version A" }).click();
  await page.locator("#difference", { hasText: "Nothing." }).waitFor();

  await open("Why not");
  await page.getByRole("combobox", { name: "Search for a rule" }).fill("pregnancy and");
  await page.locator("#rule-search-list [role=option]").first().click();
  await page.locator("#sheet section").waitFor();
  seen.whyNot = await sheet.innerText();

  await page.locator("#tab-why-not").focus();
  await page.keyboard.press("Home");
  await page.keyboard.press("ArrowRight");
  seen.tab = [await page.evaluate(() => document.activeElement.id), await page.locator("#sheet h3").first().innerText()];
  await open("Details");
  seen.details = (await sheet.innerText()).length;
  await open("Protocol");
  seen.protocol = (await sheet.innerText()).length;

  await open("Take along");
  seen.files = {};
  for (const [name, words] of [["pdf", "PDF, to sign"], ["json", "Plan as JSON"], ["fhir", "Plan as FHIR"]]) {
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: words }).click()]);
    const bytes = await readFile(await download.path());
    seen.files[name] = [download.suggestedFilename(), bytes.subarray(0, 5).toString("latin1"), bytes.length];
  }

  await page.getByRole("button", { name: "daily benzodiazepine" }).click();
  await settled("could still change");
  seen.goals = await page.locator("#at-expectations-goals").inputValue();
  await page.getByRole("button", { name: "crisis", exact: true }).click();
  await settled("[Aa]ct|[Bb]locked|[Nn]ot ready");
  await open("Front");
  seen.crisis = await sheet.innerText();
  await page.getByRole("button", { name: "nothing known" }).click();
  await settled("could still change");
  await page.getByRole("button", { name: "Go to the next question to ask" }).click();
  seen.next = await page.evaluate(() => document.activeElement.closest(".field")?.innerText ?? "");

  seen.sideways = [];
  for (const width of [320, 390]) {
    await page.setViewportSize({ width, height: 800 });
    for (const name of ["Front", "Card", "Details", "Why not", "Take along"]) {
      await open(name);
      if (await page.evaluate(() => document.documentElement.scrollWidth > globalThis.innerWidth)) seen.sideways.push(`${width} ${name}`);
    }
  }
  const toPlan = page.getByRole("button", { name: "To the plan" });
  await page.evaluate(() => globalThis.scrollTo(0, 0));
  seen.toPlan = [await toPlan.innerText()];
  await toPlan.click();
  seen.toPlan.push(await page.evaluate(() => document.activeElement.id));
  seen.toPlan.push(await page.evaluate(() => document.getElementById("plan").getBoundingClientRect().top < globalThis.innerHeight / 2));
  await page.emulateMedia({ colorScheme: "dark" });
  await open("Front");
  await page.getByRole("button", { name: /^Why\?/ }).first().click();
  await judge("dark, small, with a reason open");
  seen.kept = await page.evaluate(async () => ({
    local: localStorage.length, session: sessionStorage.length, cookies: document.cookie,
    databases: (await indexedDB.databases()).length, caches: (await caches.keys()).length, history: history.length,
  }));
  seen.cookies = (await context.cookies()).length;
  seen.address = page.url();
  process.stdout.write(JSON.stringify(seen));
} finally {
  await browser.close();
}
