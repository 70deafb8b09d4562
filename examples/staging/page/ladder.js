// SPDX-License-Identifier: BSL-1.0
// The third panel: the levels on the scale of the score, which is that of the chart beside it.
import { byId, el, fill, list, show, text } from "./dom.js";
import { clock, number, percent, plural, span } from "./format.js";
import { left, levelIcon } from "./sentence.js";

function outlook(view, now) {
  const worse = view.worse ? `${view.worse.level} below ${number(view.worse.below_score)}.` : "";
  if (!view.better) return worse;
  const { level, score, held_for_seconds: hold } = view.better;
  const wait = left(view, now);
  if (wait !== null) return `${level} in ${span(wait)}, if the score stays at ${number(score)} or more. ${worse}`;
  const longer = hold > view.dwell ? ` (normally ${span(view.dwell)}; longer, as it fell back lately)` : "";
  return `${level} once the score has held ${number(score)} for ${span(hold)}${longer}. ${worse}`;
}

function overrideText(view, now) {
  const { kind, level, actor, reason, until } = view.override;
  const others = { cap: `Capped: no better than ${level}`, freeze: `Frozen at ${view.level}` };
  const done = others[kind] ?? `Pinned at ${level}`;
  const ends = `Ends in ${span((until - now) / 1000)}, at ${clock(until)}. Without it: ${view.byHealth}.`;
  return `${done} by ${actor}: “${reason}”. ${ends}`;
}

function facts(view) {
  const pools = Object.entries(view.pools).map(([name, { in_use: used, capacity, waiting }]) =>
    `${name} ${used} of ${capacity} in use${waiting ? `, ${waiting} waiting` : ""}`);
  return [
    ["Says to load balancers (/readyz)", view.ready ? "ready" : "not ready"],
    ["Connections it may use", percent(view.settings.pool_size_factor)],
    ["Keeps cached answers for", span(view.settings.cache_ttl_seconds)],
    ["Rows in one answer", percent(view.settings.batch_size_factor)],
    ["Connections", pools.join("; ")],
    ["Share of the score that rests on recent answers", percent(view.knownShare)],
  ].map(([term, value]) => el("div", {}, el("dt", {}, term), el("dd", {}, value)));
}

// A style that a script sets is none in the markup: the Content-Security-Policy allows it.
function makeRung(view, one) {
  const rung = el("li", { "data-level": one.level }, levelIcon(view, one.level), el("b", {}, one.level),
    el("span", {}, `from ${number(one.from_score)}`), el("span", {}, plural(one.features, "feature")));
  rung.style.flexGrow = one.to - one.from_score;
  return rung;
}

export function renderLadder(view, now) {
  list(byId("rungs"), view.levels, (one) => one.level, (one) => makeRung(view, one),
    (rung, one) => rung.setAttribute("aria-current", String(one.level === view.level)));
  const known = Number.isFinite(view.score);
  show(byId("marker"), known);
  text(byId("marker"), known ? String(Math.floor(view.score + 1e-6)) : "");
  byId("marker").style.top = `${100 - (view.score ?? 0)}%`;

  show(byId("override"), view.override !== null);
  show(byId("release"), view.override !== null);
  if (view.override) text(byId("override"), overrideText(view, now));

  text(byId("outlook"), (view.override ? "Health alone: " : "") + outlook(view, now));
  const wait = left(view, now);
  show(byId("dwell"), wait !== null);
  if (wait !== null) byId("dwell").value = 1 - wait / Math.max(view.better.held_for_seconds, 0.001);
  fill(byId("level-facts"), ...facts(view));
}
