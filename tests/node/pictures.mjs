// Takes pictures, as PNG: the front page and the card of a plan's page, the page to try it of a running service, and a rule
// whose limit is being moved in a running workbench.
// Usage: node pictures.mjs PAGE ADDRESS WORKBENCH FOLDER
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { launched } from "./browser.mjs";

const [file, address, workbench, folder] = process.argv.slice(2);
const browser = await launched();
try {
  const page = await browser.newPage({ viewport: { width: 820, height: 1100 }, colorScheme: "light" });
  await page.goto(pathToFileURL(file).href);
  for (const part of ["front", "card"]) {
    await page.locator(`section.${part}`).first().screenshot({ path: join(folder, `${part}.png`), animations: "disabled" });
  }
  await page.setViewportSize({ width: 1200, height: 860 });
  await page.goto(`${address}/try`);
  await page.getByRole("button", { name: "signed protocol as needed lorazepam" }).click();
  await page.locator("#state", { hasText: "1 decision first" }).waitFor();
  await page.mouse.move(0, 0);
  await page.screenshot({ path: join(folder, "try.png"), animations: "disabled" });
  await page.setViewportSize({ width: 1400, height: 900 });
  await page.goto(workbench);
  await page.getByRole("searchbox").fill("sleep");
  await page.getByRole("button", { name: /Very short sleep/ }).click();
  await page.locator("#state", { hasText: "As it is in the file." }).waitFor();
  await page.getByLabel("usual sleep: less than").fill("5.5");
  await page.getByLabel("usual sleep: less than").press("Tab");
  await page.locator("#state", { hasText: "1 example does not come out." }).waitFor();
  await page.evaluate(() => globalThis.scrollTo(0, 0));
  await page.screenshot({ path: join(folder, "workbench.png"), animations: "disabled" });
} finally {
  await browser.close();
}
