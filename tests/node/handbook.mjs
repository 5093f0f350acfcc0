// Reads the rulebook's pages in headless Chromium, from a service and from a folder, and prints what was seen as JSON.
// Usage: node handbook.mjs ADDRESS FOLDER PAGE...
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { launched } from "./browser.mjs";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const [address, folder, ...pages] = process.argv.slice(2);
const browser = await launched();
const seen = { console: [], requests: [], axe: [], sideways: [], found: {} };
try {
  const page = await (await browser.newContext({ viewport: { width: 390, height: 844 } })).newPage();
  page.on("console", (message) => seen.console.push(message.text()));
  page.on("pageerror", (error) => seen.console.push(error.message));
  page.on("request", (request) => seen.requests.push(request.url()));
  const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
  for (const name of pages) {
    await page.goto(`${address}/rulebook/${name}`);
    if (await page.evaluate(() => document.documentElement.scrollWidth > globalThis.innerWidth)) seen.sideways.push(name);
    // Long lists say nothing more of how they are built than short ones, and take minutes to judge.
    await page.evaluate(() => document.querySelectorAll("main, main ul, nav ul").forEach((list) => {
      for (const one of [...list.children].slice(list.matches("main") ? 30 : 8)) one.remove();
    }));
    await page.evaluate(axe);
    const judged = await page.evaluate((tags) => globalThis.axe.run({ runOnly: tags }), rules);
    seen.axe.push(...judged.violations.map((one) => `${name}: ${one.id}: ${one.nodes[0].html}`));
  }
  for (const [place, url] of [["service", `${address}/rulebook/search.html`], ["folder", `${pathToFileURL(folder).href}/search.html`]]) {
    await page.goto(url);
    await page.getByRole("searchbox").fill("xanax");
    await page.locator("#found li").first().waitFor();
    seen.found[place] = [await page.getByRole("status").innerText(), ...(await page.locator("#found li").allInnerTexts())];
    await page.getByRole("searchbox").fill("very short sleep");
    await page.getByRole("link", { name: "Very short sleep" }).click();
    await page.getByRole("heading", { level: 1, name: "Very short sleep" }).waitFor();
    seen.address = page.url();
  }
  process.stdout.write(JSON.stringify(seen));
} finally {
  await browser.close();
}
