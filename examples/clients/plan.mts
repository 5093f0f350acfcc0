// A plan by way of types generated from the contract.
//
//   npx openapi-typescript openapi/openapi.json -o contract.d.ts
//   npx tsc && CAREPLAN_TOKEN=cpk... node plan.mjs http://127.0.0.1:8000 examples/daily-benzodiazepine.json
import { readFileSync } from "node:fs";
import createClient from "openapi-fetch";
import type { components, paths } from "./contract.js";

const [address, file] = process.argv.slice(2) as [string, string];
const patient = JSON.parse(readFileSync(file, "utf8")) as components["schemas"]["Patient"];
const client = createClient<paths>({
  baseUrl: address,
  // An API key or an access token; a service on loopback without authentication asks for none.
  headers: process.env["CAREPLAN_TOKEN"] ? { Authorization: `Bearer ${process.env["CAREPLAN_TOKEN"]}` } : {},
});
const { data, error } = await client.POST("/v1/care-plans", { body: patient });
if (error || typeof data !== "object" || !("sections" in data)) {
  throw new Error(`no plan: ${JSON.stringify(error)}`);
}
console.log(data.front.headline);
for (const decision of data.front.decisions) console.log(`to decide: ${decision.line}`);
for (const section of data.sections) {
  for (const item of section.items) console.log(`[${item.level}] ${item.title}`);
}
