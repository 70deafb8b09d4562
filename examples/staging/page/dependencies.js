// SPDX-License-Identifier: BSL-1.0
// The second panel: the dependencies, broken first.
import { openCircuitDialog } from "./controls.js";
import { byId, el, fill, icon, list, svg } from "./dom.js";
import { band, latency, number, span, when } from "./format.js";
import { inTime } from "./sentence.js";

const COLUMNS = ["Dependency", "State", "Down for", "Next try", "Last error", "Latency", "Score lost", ""];
const COST_TITLE = "Points that it costs the score now, of the most that it can cost";
const TRACK = 48;
const AROUND = 2 * Math.PI * 6;

const none = () => el("span", { class: "none" }, "–");

// Empties as the wait runs out. The words beside it say the same.
function ring(one, now) {
  const share = Math.min(1, Math.max(0, (one.nextTry - now) / one.wait));
  const dash = `${(share * AROUND).toFixed(1)} ${AROUND.toFixed(1)}`;
  return svg("svg", { class: "ring", viewBox: "0 0 16 16", "aria-hidden": "true" },
    svg("circle", { cx: 8, cy: 8, r: 6 }),
    svg("circle", { cx: 8, cy: 8, r: 6, class: "left", "stroke-dasharray": dash }));
}

function nextTry(one, now) {
  const { succeeded, needed } = one.circuit.half_open;
  if (one.kind === "held") return "by hand only";
  if (one.kind === "trying") return `${succeeded} of ${needed} tries worked`;
  return one.nextTry ? el("span", { class: "next" }, ring(one, now), inTime(one.nextTry, now)) : none();
}

function downFor(one, now) {
  if (!one.downSince) return none();
  const likely = one.recovery ? `likely ${band(one.recovery.p50, one.recovery.p90, "to")} more` : null;
  return [when(one.downSince, now, span((now - one.downSince) / 1000)), likely && el("small", {}, likely)];
}

function lastError(one, now) {
  if (one.held) return [one.held.reason, el("small", {}, `held off by ${one.held.actor}`)];
  if (!one.error) return none();
  const at = one.errorAt ? when(one.errorAt, now) : null;
  if (one.errorIsOver) return el("small", {}, one.error, at && ", ", at);
  return [one.error, at && el("small", {}, `${one.errorOf}, `, at)];
}

// The track is as long as the weight, its filled part as what is lost of it: 30 of 30, or 3 of 50.
function cost(one, heaviest) {
  if (one.component.unknown) return none();
  const full = TRACK * (one.weight / heaviest);
  const lost = one.weight > 0 ? full * Math.min(1, one.cost / (one.weight * 100)) : 0;
  return el("span", { class: "next" },
    svg("svg", { class: "cost", width: TRACK, height: 6, "aria-hidden": "true" },
      svg("rect", { width: full, height: 6, rx: 3 }), svg("rect", { width: lost, height: 6, rx: 3, class: "lost" })),
    `${number(one.cost)} of ${number(one.weight * 100)}`);
}

// The roles are those of the elements, which lose them when a narrow window shows the rows as cards.
function makeRow(one) {
  const row = el("tr", { role: "row" }, el("th", { scope: "row", role: "rowheader" }));
  for (const label of COLUMNS.slice(1)) row.append(el("td", { role: "cell", "data-label": label }));
  const button = el("button", { type: "button" }, "Control…", el("span", { class: "unseen" }, ` of ${one.name}`));
  button.addEventListener("click", () => openCircuitDialog(one.name));
  row.lastChild.append(button);
  return row;
}

function makeHead() {
  return COLUMNS.map((label) => el("th", {
    scope: "col", role: "columnheader", title: label === "Score lost" ? COST_TITLE : null,
  }, label || el("span", { class: "unseen" }, "Control")));
}

export function renderDependencies(view, now) {
  const table = byId("dependency-table");
  const head = table.tHead.rows[0];
  if (!head.cells.length) head.append(...makeHead());
  const heaviest = Math.max(...view.dependencies.map((one) => one.weight));
  list(table.tBodies[0], view.dependencies, (one) => one.name, makeRow, (row, one) => {
    row.dataset.tone = one.tone;
    row.dataset.kind = one.kind;
    const cells = [
      [one.name, one.simulated ? el("span", { class: "badge" }, "simulated") : null],
      el("span", { class: "state" }, icon(one.icon), one.word),
      downFor(one, now), nextTry(one, now), lastError(one, now),
      one.latency === null ? none() : latency(one.latency), cost(one, heaviest),
    ];
    cells.forEach((content, i) => fill(row.children[i], content));
  });
}
