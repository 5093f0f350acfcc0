// A plan and a batch by way of a client that @hey-api/openapi-ts makes of the contract.
//
//   npx -p @hey-api/openapi-ts@0.99 -p typescript@5.9 openapi-ts -i ./openapi/openapi.json -o generated/hey-api -c @hey-api/client-fetch
import { createCarePlan, createCarePlans } from "./generated/hey-api";
import { client } from "./generated/hey-api/client.gen";
import type { Patient } from "./generated/hey-api";

export async function lines(address: string, patient: Patient): Promise<string[]> {
  client.setConfig({ baseUrl: address });
  const { data, error } = await createCarePlan({ body: patient });
  if (!data || !(data instanceof Object) || !("sections" in data)) throw new Error(`no plan: ${JSON.stringify(error)}`);
  const answers = await createCarePlans({ body: new Blob([`${JSON.stringify(patient)}\n{"age_years": "x"}\n`]), parseAs: "text" });
  return [data.front.headline, ...String(answers.data).trim().split("\n")];
}
