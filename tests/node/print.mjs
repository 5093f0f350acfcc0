// Prints pages in headless Chromium on both papers, and prints the PDFs of each file in base64 as JSON.
// Usage: node print.mjs FILE...
import { pathToFileURL } from "node:url";
import { launched } from "./browser.mjs";

const browser = await launched();
try {
  const page = await browser.newPage({ viewport: { width: 900, height: 1200 } });
  const printed = {};
  for (const file of process.argv.slice(2)) {
    await page.goto(pathToFileURL(file).href);
    printed[file] = {};
    for (const format of ["A4", "Letter"]) {
      printed[file][format] = (await page.pdf({ format, preferCSSPageSize: false })).toString("base64");
    }
  }
  process.stdout.write(JSON.stringify(printed));
} finally {
  await browser.close();
}
