// Owns: every date and time a reader sees, in the browser's zone and the reader's language.

import { store } from "./store.js";

const DAY = 86_400_000;
const HALF_YEAR = 183 * DAY;

function language() {
  return store.me?.locale ?? "en-US";
}

function show(date, options) {
  return new Intl.DateTimeFormat(language(), options).format(date);
}

function now() {
  return new Date(Date.now() + store.clockOffset);
}

function isEnglish() {
  return language().startsWith("en");
}

function ordinal(day) {
  const suffix = day % 100 >= 11 && day % 100 <= 13 ? "th" : { 1: "st", 2: "nd", 3: "rd" }[day % 10] ?? "th";
  return `${day}${suffix}`;
}

/** Calendar days from today in the browser's zone: -1 is yesterday. */
function daysFromToday(date) {
  const midnight = (moment) => new Date(moment.getFullYear(), moment.getMonth(), moment.getDate());
  return Math.round((midnight(date) - midnight(now())) / DAY);
}

function nearDay(date) {
  const days = daysFromToday(date);
  if (Math.abs(days) > 1) return null;
  return new Intl.RelativeTimeFormat(language(), { numeric: "auto" }).format(days, "day");
}

function yearMatters(date) {
  return Math.abs(date - now()) > HALF_YEAR;
}

function longDate(date, { weekday = false, year = yearMatters(date) } = {}) {
  if (!isEnglish()) {
    return show(date, { month: "long", day: "numeric", weekday: weekday ? "long" : undefined, year: year ? "numeric" : undefined });
  }
  const words = `${show(date, { month: "long" })} ${ordinal(date.getDate())}${year ? `, ${date.getFullYear()}` : ""}`;
  return weekday ? `${show(date, { weekday: "long" })}, ${words}` : words;
}

function shortDate(date) {
  return show(date, { month: "short", day: "numeric", year: yearMatters(date) ? "numeric" : undefined });
}

function isoDate(date) {
  const pad = (number) => String(number).padStart(2, "0");
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
}

function ago(date) {
  const words = new Intl.RelativeTimeFormat(language(), { numeric: "auto" });
  const seconds = (date - now()) / 1000;
  for (const [unit, size] of [["day", 86_400], ["hour", 3600], ["minute", 60]]) {
    if (Math.abs(seconds) >= size) return words.format(Math.round(seconds / size), unit);
  }
  return words.format(Math.round(seconds), "second");
}

function dividerDate(date) {
  return nearDay(date) ?? longDate(date, { weekday: true, year: date.getFullYear() !== now().getFullYear() });
}

const TOKENS = {
  date_num: isoDate,
  date_slash: (date) => show(date, { year: "numeric", month: "2-digit", day: "2-digit" }),
  date: (date) => longDate(date),
  date_short: shortDate,
  date_long: (date) => longDate(date, { weekday: true }),
  date_long_full: (date) => longDate(date, { year: true }),
  date_pretty: (date) => nearDay(date) ?? longDate(date),
  date_short_pretty: (date) => nearDay(date) ?? shortDate(date),
  date_long_pretty: (date) => nearDay(date) ?? longDate(date, { weekday: true }),
  day_divider_pretty: dividerDate,
  time: (date) => show(date, { hour: "numeric", minute: "2-digit" }),
  time_secs: (date) => show(date, { hour: "numeric", minute: "2-digit", second: "2-digit" }),
  ago,
};

/** Slack's date template for a time in seconds; null when the template or the time cannot be shown. */
export function slackDate(seconds, template) {
  const date = new Date(Number(seconds) * 1000);
  if (Number.isNaN(date.getTime())) return null;
  const tokens = [...template.matchAll(/\{(\w+)\}/g)];
  if (!tokens.length || tokens.some(([, name]) => !TOKENS[name])) return null;
  return template.replace(/\{(\w+)\}/g, (_, name, at) => capital(TOKENS[name](date), at === 0 && name.endsWith("pretty")));
}

function capital(text, wanted) {
  return wanted ? text.charAt(0).toLocaleUpperCase() + text.slice(1) : text;
}

function dateOf(ts) {
  return new Date(Number(ts) * 1000);
}

export const clockTime = (ts) => TOKENS.time(dateOf(ts));
export const dayKey = (ts) => isoDate(dateOf(ts));
export const dayLabel = (ts) => capital(dividerDate(dateOf(ts)), true);
export const timeAgo = (ts) => ago(dateOf(ts));
export const fullTime = (ts) => `${longDate(dateOf(ts), { weekday: true, year: true })} ${TOKENS.time_secs(dateOf(ts))}`;
