// Compiles every schema of a contract with Ajv, as strictly as it can, and holds each sample against its schema.
// Usage: node contract.mjs NODE_MODULES CONTRACT    prints what failed, and how many samples were tried.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(`${process.argv[2]}/`);
const Ajv = require("ajv/dist/2020").default;
const document = JSON.parse(readFileSync(process.argv[3], "utf8"));
const ajv = new Ajv({ strict: true, allErrors: true });
require("ajv-formats")(ajv);
ajv.addVocabulary(["discriminator", "components"]);
ajv.addSchema({ $id: "contract", components: document.components });

const failed = [];
function compiled(schema, place) {
  try {
    return ajv.compile(schema);
  } catch (error) {
    failed.push(`${place}: ${error.message}`);
    return undefined;
  }
}

for (const name of Object.keys(document.components.schemas)) {
  compiled({ $ref: `contract#/components/schemas/${name}` }, name);
}
const validators = new Map();
let tried = 0;
for (const operation of Object.values(document.paths).flatMap(Object.values)) {
  const contents = [operation.requestBody, ...Object.values(operation.responses)].map((part) => part?.content ?? {});
  for (const media of contents.flatMap(Object.values)) {
    const schema = JSON.stringify(media.schema).replaceAll('"#/components', '"contract#/components');
    if (!validators.has(schema)) validators.set(schema, compiled(JSON.parse(schema), operation.operationId));
    const validate = validators.get(schema);
    for (const [name, example] of Object.entries(media.examples ?? {})) {
      const { value } = example.$ref ? document.components.examples[example.$ref.split("/").pop()] : example;
      tried += 1;
      if (!validate?.(value)) failed.push(`${operation.operationId} ${name}: ${ajv.errorsText(validate?.errors)}`);
    }
  }
}
console.log(JSON.stringify({ failed, tried }));
