// A plan by way of a client that swagger-typescript-api makes of the contract. It has no way to send lines: send those of a
// batch with fetch.
//
//   npx swagger-typescript-api generate -p openapi/openapi.json -o generated -n swagger-typescript-api.ts
import { Api } from "./generated/swagger-typescript-api";
import type { Patient } from "./generated/swagger-typescript-api";

export async function lines(address: string, patient: Patient): Promise<string[]> {
  const api = new Api({ baseUrl: address });
  const { data, error } = await api.v1.createCarePlan(patient, {}, { format: "json" });
  if (!(data instanceof Object) || !("sections" in data)) throw new Error(`no plan: ${JSON.stringify(error)}`);
  return [data.front.headline];
}
