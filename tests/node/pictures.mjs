// Takes pictures, as PNG: the front page and the card of a plan's page, and the page to try it of a running service.
// Usage: node pictures.mjs PAGE ADDRESS FOLDER
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { launched } from "./browser.mjs";

const [file, address, folder] = process.argv.slice(2);
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
} finally {
  await browser.close();
}
