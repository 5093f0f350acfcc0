// Opens a page in headless Chromium without a network, lets axe judge it by WCAG 2.2 AA, light and dark, with all that is
// folded opened, and prints what it finds as JSON.
// Usage: node page.mjs FILE [PICTURE]
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { launched } from "./browser.mjs";

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const [file, picture] = process.argv.slice(2);
const browser = await launched();
try {
  const page = await browser.newPage({ viewport: { width: 900, height: 1200 } });
  const asked = [];
  page.on("request", (request) => asked.push(request.url()));
  await page.goto(pathToFileURL(file).href);
  const own = asked.splice(0);
  await page.addScriptTag({ path: axe });
  const judged = () =>
    page.evaluate(() =>
      globalThis.axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }),
    );
  const found = await judged();
  await page.evaluate(() => document.querySelectorAll("details").forEach((one) => (one.open = true)));
  await page.emulateMedia({ colorScheme: "dark" });
  const dark = await judged();
  await page.emulateMedia({ colorScheme: "light" });
  const light = await judged();
  let sideways = false;
  for (const width of [320, 390]) {
    await page.setViewportSize({ width, height: 800 });
    sideways ||= await page.evaluate(() => document.documentElement.scrollWidth > globalThis.innerWidth);
  }
  await page.setViewportSize({ width: 900, height: 1200 });
  if (picture) await page.screenshot({ path: picture, fullPage: true });
  const violations = [found, dark, light].flatMap((one) => one.violations).map((one) => ({ id: one.id, help: one.help, nodes: one.nodes.map((node) => node.html) }));
  process.stdout.write(JSON.stringify({ violations, passes: found.passes.length, requests: own, sideways }));
} finally {
  await browser.close();
}
