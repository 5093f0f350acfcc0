// Reads a calendar with ical.js and prints of each event, by its UID, when it begins in UTC and which version it is.
import { readFileSync } from "node:fs";
import ICAL from "ical.js";

const calendar = new ICAL.Component(ICAL.parse(readFileSync(0, "utf8")));
for (const zone of calendar.getAllSubcomponents("vtimezone")) {
  ICAL.TimezoneService.register(new ICAL.Timezone(zone));
}
const found = {};
for (const part of calendar.getAllSubcomponents("vevent")) {
  const event = new ICAL.Event(part);
  if (!event.startDate.isDate) {
    const begins = event.startDate.convertToZone(ICAL.Timezone.utcTimezone);
    found[event.uid] = { begins: begins.toString(), sequence: event.sequence };
  }
}
process.stdout.write(JSON.stringify(found));
