// Uses the workbench as an owner of rules does, in headless Chromium, and prints what was seen as JSON.
// Usage: node workbench.mjs ADDRESS RULE OLD NEW BROKEN
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { launched } from "./browser.mjs";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const [address, rule, old, changed, broken] = process.argv.slice(2);
const browser = await launched();
const seen = { console: [], requests: [] };
try {
  const page = await (await browser.newContext({ viewport: { width: 1400, height: 900 } })).newPage();
  page.on("console", (message) => seen.console.push(message.text()));
  page.on("pageerror", (error) => seen.console.push(error.message));
  page.on("request", (request) => seen.requests.push(request.url()));
  const state = (words) => page.locator("#state", { hasText: words }).waitFor();
  await page.goto(address);
  await page.getByRole("searchbox").fill(rule.replaceAll("-", " ").split(" ").slice(0, 2).join(" "));
  seen.first = await page.locator(".rules button").first().innerText();
  await page.getByRole("button", { name: /Very short sleep/ }).focus();
  await page.keyboard.press("Enter");
  await state("As it is in the file.");
  seen.chosen = await page.evaluate(() => document.activeElement.id);
  seen.prose = await page.getByRole("region", { name: "In prose" }).innerText();
  const field = page.getByLabel("The file");
  const text = await field.inputValue();
  // A token completed by keys alone: what is there, what is said of it, and that Escape leaves the text as it is.
  // Characters of two units before it must not put the token elsewhere.
  await field.fill(`# \u{1F642}\u{1F642}\n${text}`);
  await field.evaluate((one) => {
    const at = one.value.indexOf("level: caution") + 7;
    one.focus();
    one.setSelectionRange(at, at + 7);
  });
  await page.keyboard.type("st");
  await page.locator("#offers [role=option]", { hasText: "stop" }).waitFor();
  seen.offered = [await field.getAttribute("aria-activedescendant"), await page.locator("#offer-0").innerText()];
  await page.evaluate(axe);
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
  const open = await page.evaluate((only) => globalThis.axe.run(".writing", { runOnly: only }), tags);
  seen.axe = open.violations.map((one) => `list: ${one.id}: ${one.nodes[0].html}`);
  await page.keyboard.press("Enter");
  seen.completed = (await field.inputValue()).match(/^level: .*$/m)[0];
  // A list that came by itself takes no Enter: a line is begun as ever.
  await field.fill(`${text}level:`);
  await field.press("End");
  await page.keyboard.type(" ");
  await page.locator("#offers [role=option]").first().waitFor();
  await page.keyboard.press("Enter");
  seen.begun = (await field.inputValue()).slice(text.length);
  await page.keyboard.press("Control+Space");
  await page.locator("#offers [role=option]").first().waitFor();
  seen.wanted = await field.getAttribute("aria-activedescendant");
  await page.keyboard.press("Escape");
  seen.closed = await page.locator("#offers [role=option]").count();
  await field.fill(text);
  await state("As it is in the file.");
  // A value changed in the prose changes the text there.
  await page.getByLabel("usual sleep: less than").fill("6");
  await page.getByLabel("usual sleep: less than").press("Tab");
  await state("Not saved.");
  seen.byProse = await field.inputValue();
  await field.fill(text);
  await state("As it is in the file.");
  // A made-up patient on a slider, on both sides of the limit.
  await page.getByLabel("Sleep, hours a night: known").check();
  seen.said = [];
  for (const [hours, words] of [["7", "It does not hold."], ["4.5", "It holds"]]) {
    await page.getByLabel("Sleep, hours a night", { exact: true }).fill(hours);
    await page.locator("#said", { hasText: words }).waitFor();
    seen.said.push(await page.locator("#said").innerText());
  }
  await field.fill(text.replace(old, broken));
  await state("1 fault.");
  seen.faults = await page.locator("#faults").innerText();
  await page.getByRole("button", { name: /^Line / }).click();
  seen.selected = await field.evaluate((one) => one.value.slice(one.selectionStart, one.selectionEnd));
  await field.fill(text.replace(old, changed));
  await state("1 example does not come out.");
  seen.failed = await page.locator("#examples .bad").allInnerTexts();
  seen.notes = await page.locator("#notes").innerText();
  seen.diff = await page.locator("#diff").innerText();
  await page.getByLabel("Made-up patients").selectOption("100");
  await page.getByRole("button", { name: "Whose plans change?" }).click();
  await page.locator("#effect").waitFor({ timeout: 60_000 });
  seen.effect = await page.locator("#effect").innerText();
  seen.proof = [];
  for (const [work, words] of [["Prove this rule", "Nothing was proved"], ["Compare with the file", "took"]]) {
    await page.getByRole("button", { name: work }).click();
    await page.locator("#proof", { hasText: words }).waitFor();
    seen.proof.push(await page.locator("#proof").innerText());
  }
  const judge = async (name) => {
    const judged = await page.evaluate((only) => globalThis.axe.run({ runOnly: only }), tags);
    seen.axe.push(...judged.violations.map((one) => `${name}: ${one.id}: ${one.nodes[0].html}`));
  };
  await judge("rule");
  await page.setViewportSize({ width: 390, height: 800 });
  seen.width = await page.evaluate(() => document.documentElement.scrollWidth);
  await page.setViewportSize({ width: 1400, height: 900 });
  await page.getByRole("button", { name: "What is due for review" }).click();
  await page.locator("#undecided").waitFor();
  await judge("due");
  seen.due = await page.getByRole("main").innerText();
  await page.getByRole("button", { name: "What is due for review" }).click();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await state("As it is in the file.");
  seen.kept = await page.evaluate(() => [localStorage.length, sessionStorage.length, document.cookie]);
  process.stdout.write(JSON.stringify(seen));
} finally {
  await browser.close();
}
