// What every part of the page may look at: the plan that is shown, its patient, and what can be done with them.
import { createContext, useContext } from "./preact.js";

export const Shown = createContext(null);
export const useShown = () => useContext(Shown);

/** The items of a plan by their ids, alerts among them. */
export function itemsOf(plan) {
  const all = [...plan.alerts, ...plan.sections.flatMap((section) => section.items)];
  return new Map(all.map((item) => [item.id, item]));
}

export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
export const spaced = (token) => token.replaceAll("_", " ");
export const counted = (number, word, many = `${word}s`) => `${number} ${number === 1 ? word : many}`;
export const idOf = (pointer) => `at${pointer.replaceAll("/", "-")}`;
