// A plan and a batch by way of a client that orval makes of the contract. It sends no Content-Type where there is a choice of
// several, and takes an answer for a file where it may be one; so it is given the contract in which there is one form of each:
//
//   careplan openapi --one-form --write one-form.json && npx orval@8.38 --config orval.config.mjs
import { createCarePlan, createCarePlans } from "./generated/orval";
import type { Patient } from "./generated/orval";

export async function lines(address: string, patient: Patient): Promise<string[]> {
  void address; // it stands in orval.config.mjs
  const plan = await createCarePlan(patient);
  if (plan.status !== 200 || !("sections" in plan.data)) throw new Error(`no plan: ${JSON.stringify(plan)}`);
  const answers = await createCarePlans(new Blob([`${JSON.stringify(patient)}\n{"age_years": "x"}\n`]));
  if (answers.status !== 200) throw new Error(`no answers: ${JSON.stringify(answers)}`);
  return [plan.data.front.headline, ...(await answers.stream.text()).trim().split("\n")];
}
