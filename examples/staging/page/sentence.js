// SPDX-License-Identifier: BSL-1.0
// The first panel: what is so, why, and what comes next, in one sentence.
import { byId, el, fill, show, svg, text } from "./dom.js";
import { band, latency, listed, plural, score, span } from "./format.js";
import { isDown } from "./view.js";

// Five bars, as many filled as the level leaves: this says the level without its colour.
export function levelIcon(view, level) {
  const left = view.levels.length - view.levels.findIndex((one) => one.level === level);
  const bars = view.levels.map((_, i) => svg("rect", {
    x: i * 4, y: 10 - i * 2.5, width: 3, height: 6 + i * 2.5, rx: 0.8, class: i < left ? "lit" : "unlit",
  }));
  return svg("svg", { class: "bars", viewBox: "0 0 19 16", "aria-hidden": "true" }, ...bars);
}

export const inTime = (at, now) => (at - now < 500 ? "now" : `in ${span((at - now) / 1000)}`);

// Seconds until the next better level, if the score stays; null when it is too low for that.
export function left(view, now) {
  const seconds = view.better?.in_seconds ?? null;
  return seconds === null ? null : Math.max(0, seconds - (now - view.at) / 1000);
}

function trouble(one, now) {
  const long = one.downSince ? ` for ${span((now - one.downSince) / 1000)}` : "";
  const because = one.error ? ` (${one.error})` : "";
  const { calls, successes } = one.circuit.recent;
  const by = one.held ? ` (${one.held.actor}: ${one.held.reason})` : "";
  switch (one.kind) {
    case "down": return `down${one.episodes.at(-1)?.length > 1 ? " again" : ""}${long}${because}${one.nextTry ? `, next try ${inTime(one.nextTry, now)}` : ""}`;
    case "trying": return `being tried after being down${long}`;
    case "held": return `held off by hand${long}${by}`;
    case "failing": return `failing${because}`;
    case "shaky": return `failing some of its calls (${calls - successes} of the last ${calls})`;
    // The mean lags behind: the last check says how it is now.
    default: return `slow (${latency(one.latency)} on average in the last ${plural(calls, "call")}, `
      + `${latency(one.circuit.probe.last_latency_ms)} in its last check)`;
  }
}

function clauses(view, now) {
  const bad = view.dependencies.filter((one) => !["up", "unproven", "unguarded", "unknown"].includes(one.kind));
  const unknown = view.dependencies.filter((one) => one.kind === "unknown").map((one) => one.name);
  const parts = bad.map((one) => [el("strong", {}, one.name), ` ${trouble(one, now)}`]);
  if (unknown.length) parts.push([el("strong", {}, listed(unknown)), " not checked yet"]);
  if (parts.length) return parts;
  const rest = view.better && !view.override ? "; what is off comes back step by step" : "";
  const unproven = view.dependencies.filter((one) => one.kind === "unproven").map((one) => one.name);
  if (unproven.length) {
    const since = unproven.length > 1 ? "they came" : "it came";
    return [["Everything works, going by the checks: no call of ", el("strong", {}, listed(unproven)),
      ` has succeeded since ${since} back${rest}`]];
  }
  return [[`Everything works${rest && " again"}${rest}`]];
}

// With nothing down any more only the climb is left, which is no guess: p50 and p90 are the same.
function recovery(best, { p50, p90 }) {
  if (p90 - p50 < 1) return `Back to ${best} in about ${span(p90)}.`;
  return `Back to ${best} likely between ${band(p50, p90)} from now, going by earlier outages.`;
}

const badge = (words) => el("span", { class: "badge" }, words);

function overrideBadge({ kind, actor }) {
  const done = { freeze: "Frozen", cap: "Capped" }[kind] ?? "Pinned";
  return badge(`${done} by ${actor}`);
}

export function renderSentence(view, now) {
  fill(byId("headline"), levelIcon(view, view.level), el("span", { class: "name" }, view.level), " ",
    el("span", { class: "score" }, Number.isFinite(view.score) ? score(view.score) : "no score yet"),
    view.override ? overrideBadge(view.override) : null, view.dryRun ? badge("Dry run: takes nothing away") : null);

  const joined = clauses(view, now).flatMap((part, i) => (i ? ["; ", ...part] : part));
  const wait = left(view, now);
  const climbs = wait !== null && !view.override && view.assessed;
  const next = climbs ? ` ${view.better.level} in ${span(wait)}, if it stays so.` : "";
  const { available, total } = view.features;
  const count = el("strong", { class: "count" }, `${available} of ${plural(total, "feature")} on`);
  fill(byId("sentence"), ...joined, `.${next} `, count,
    view.ready ? "." : "; not ready: /readyz tells load balancers to send requests elsewhere.");

  // Without enough earlier outages there is no band, and none is made up.
  show(byId("recovery"), view.recovery !== null);
  if (view.recovery) text(byId("recovery"), recovery(view.levels[0].level, view.recovery));
}

export function titleOf(view) {
  const down = view.dependencies.filter(isDown).map((one) => one.name);
  const points = Number.isFinite(view.score) ? ` ${score(view.score)}` : "";
  return `${view.level}${points}${down.length ? ` – ${down.join(", ")} down` : ""}`;
}
