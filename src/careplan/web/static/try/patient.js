// A patient as a request holds it: what stands at a JSON Pointer, the same with another answer, what differs between two.

const keysOf = (pointer) => pointer.split("/").slice(1).map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

export const valueAt = (patient, pointer) => keysOf(pointer).reduce((found, key) => found?.[key], patient);

/** The patient with this answer; without one if the answer is undefined. Objects that become empty go away. */
export const withAnswer = (patient, pointer, answer) => put(patient, keysOf(pointer), answer) ?? {};

function put(here, [key, ...rest], answer) {
  if (key === undefined) return answer;
  if (Array.isArray(here)) {
    return here.map((entry, at) => (String(at) === key ? put(entry, rest, answer) ?? {} : entry));
  }
  const changed = { ...here };
  const below = put(here?.[key], rest, answer);
  if (below === undefined) delete changed[key];
  else changed[key] = below;
  return Object.keys(changed).length ? changed : undefined;
}

/** The JSON Merge Patch (RFC 7396) that makes `after` of `before`. */
export function patchBetween(before, after) {
  const patch = {};
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [was, is] = [before[key], after[key]];
    if (JSON.stringify(was) === JSON.stringify(is)) continue;
    if (is === undefined) patch[key] = null;
    else patch[key] = isObject(was) && isObject(is) ? patchBetween(was, is) : is;
  }
  return patch;
}

/** `patient` with a JSON Merge Patch laid over it. */
export function patched(patient, patch) {
  if (!isObject(patch)) return patch;
  const changed = isObject(patient) ? { ...patient } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete changed[key];
    else changed[key] = patched(changed[key], value);
  }
  return changed;
}

/** What was typed for a number: the number, or the text where it is none, so that the service says what is wrong. */
export function numberTyped(text) {
  const typed = text.trim();
  if (typed === "") return undefined;
  const number = Number(typed.replace(",", "."));
  return Number.isFinite(number) ? number : typed;
}
