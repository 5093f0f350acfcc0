// What is asked of the service. What was typed travels in bodies only; a key is kept in this page's memory only.

let key = "";
export const showKey = (typed) => {
  key = typed.trim();
};

/** An answer that is a problem document: `problem` has its status, its detail and its errors by JSON Pointer. */
export class Refused extends Error {
  constructor(problem) {
    super(problem.detail || problem.title);
    this.problem = problem;
  }
}

async function asked(path, { body, accept = "application/json", signal } = {}) {
  const headers = { Accept: accept };
  if (key) headers["X-API-Key"] = key;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const sent = { headers, signal, cache: "no-store", credentials: "omit", referrerPolicy: "no-referrer" };
  if (body !== undefined) Object.assign(sent, { method: "POST", body: JSON.stringify(body) });
  let answer;
  try {
    answer = await fetch(path, sent);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused({ status: 0, title: "No answer", detail: "The service does not answer. Is it still running?" });
  }
  if (answer.ok) return answer;
  const problem = await answer.json().catch(() => ({ title: `The service answered ${answer.status}.` }));
  throw new Refused({ status: answer.status, ...problem });
}

const json = async (path, more) => (await asked(path, more)).json();

export const form = () => json("/try/form");
export const conditions = async () => (await json("/v1/conditions")).conditions;
export const rules = async () => (await json("/v1/rules")).rules;
export const medicines = async (q, signal) => (await json("/try/medicines", { body: { q }, signal })).medications;
export const planned = (patient, signal) => json("/v1/care-plans?detail=full", { body: patient, signal });
export const explained = async (patient) => (await json("/v1/care-plans?explain=full", { body: patient })).explanation;
export const whatWouldChange = (patient, item) => json("/v1/care-plans/what-would-change", { body: { patient, item } });
export const compared = async (patient, patch) =>
  (await json("/v1/care-plans/compare", { body: { patient, changes: [patch] } })).differences[0];

/** One form of the plan, as a file. */
export const file = async (patient, { path, accept }) => (await asked(path, { body: patient, accept })).blob();
