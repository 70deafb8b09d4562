// SPDX-License-Identifier: BSL-1.0
// Numbers, times and names as people read them.
import { el } from "./dom.js";

const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
const withSeconds = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
});
const withMinutes = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

export const clock = (ms) => withSeconds.format(ms);
export const shortClock = (ms) => withMinutes.format(ms);

// How long something lasts: to the second below 10 minutes, and never rounded to what sounds much shorter.
export function span(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (!Number.isFinite(seconds) || whole < 100 || whole >= 600 || whole % 60 === 0) return roughly(seconds);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

// One unit, as one says it: for what is an estimate, and for how long ago something was.
export function roughly(seconds) {
  if (!Number.isFinite(seconds)) return "unknown";
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 100) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min`;
  if (whole < 172800) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  return `${Math.floor(whole / 86400)} days`;
}

// "2 and 6 min": the unit once. Two ends that read the same are one number.
export function band(from, to, joint = "and") {
  const [low, high] = [roughly(from), roughly(to)];
  if (low === high) return high;
  const unit = (value) => value.replace(/^\d+ /, "");
  return unit(low) === unit(high) ? `${parseInt(low, 10)} ${joint} ${high}` : `${low} ${joint} ${high}`;
}

export const number = (value) => (Number.isFinite(value) ? String(Math.round(value * 10) / 10) : "unknown");
export const percent = (share) => (Number.isFinite(share) ? `${Math.round(share * 100)} %` : "unknown");
export const plural = (n, one) => `${n} ${one}${n === 1 ? "" : "s"}`;
export const listed = (words) => words.join(", ").replace(/, ([^,]*)$/, " and $1");
export const capital = (words) => words.charAt(0).toUpperCase() + words.slice(1);

// Never rounded up to a threshold that is not reached.
export function score(value) {
  return Number.isFinite(value) ? String(Math.floor(value * 10 + 1e-6) / 10) : "unknown";
}

export function latency(ms) {
  if (ms < 9.95) return `${ms.toFixed(1)} ms`;
  return ms < 9995 ? `${Math.round(ms)} ms` : `${Math.round(ms / 1000)} s`;
}

export function ago(ms, now) {
  const seconds = (now - ms) / 1000;
  return seconds < 5 ? "just now" : `${roughly(seconds)} ago`;
}

// A moment, told as a distance; the exact time is in its title.
export function when(ms, now, words) {
  return el("time", { datetime: new Date(ms).toISOString(), title: exact.format(ms) }, words ?? ago(ms, now));
}

// read_only_access: Read only access; s3_uploads: S3 uploads.
export function title(name) {
  return capital(String(name).replaceAll("_", " ").replace(/\b(ai|s3)\b/g, (word) => word.toUpperCase()));
}
