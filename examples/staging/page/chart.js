// SPDX-License-Identifier: BSL-1.0
// The fourth panel: the score of the last half hour; below it, on the same axis of time, the level and the outages.
import { byId, fill, svg, text } from "./dom.js";
import { clock, listed, number, plural, score as points, shortClock, span } from "./format.js";

const MINUTE = 60 * 1000;
const LONGEST = 30 * MINUTE; // of what the server remembers
const SHORTEST = 5 * MINUTE; // soon after its start
const PLOT = 220; // as high as the ladder beside it: style.css, --scale
const GUTTER = 72; // for the names of the lanes and the thresholds
const LANE = 20;

let drawn = null;

// Half an hour, or as much of it as the server has been running, in steps of 5 min.
function windowOf(view) {
  const known = view.at - (view.history[0]?.at ?? view.at);
  return Math.min(LONGEST, Math.ceil(Math.max(known, 1) / SHORTEST) * SHORTEST);
}

// A step function: a score holds until the next one, the last one until now.
function steps(view, start) {
  const runs = view.history.map((point, i, all) => ({
    ...point, from: Math.max(point.at, start), to: all[i + 1]?.at ?? view.at,
  }));
  return runs.filter((run) => run.to > run.from);
}

function pathOf(runs, x, y) {
  let path = "";
  let pen = null;
  for (const { from, to, score } of runs) {
    if (!Number.isFinite(score)) {
      pen = null;
      continue;
    }
    path += `${pen === null ? `M${x(from)} ${y(score)}` : `L${x(from)} ${y(pen)}V${y(score)}`}H${x(to)}`;
    pen = score;
  }
  return path;
}

function lanesOf(view, start) {
  const lanes = view.dependencies.map(({ name, outages }) => ({
    name, outages: outages.map((o) => ({ ...o, to: o.ended ?? view.at })).filter((o) => o.to > start),
  }));
  return lanes.filter((lane) => lane.outages.length);
}

// What the picture says, for those who do not see it. "What happened" tells every change as well.
function described(view, runs, lanes, heading) {
  const known = runs.filter((run) => Number.isFinite(run.score));
  if (!known.length) return "No score yet.";
  const low = known.reduce((a, b) => (b.score < a.score ? b : a));
  const down = lanes.map(({ name, outages }) => {
    const lasts = outages.at(-1).ended === null ? ", the last one still going on" : "";
    return `${name} had ${plural(outages.length, "outage")}${lasts}.`;
  });
  const scores = `now ${points(view.score)}, lowest ${points(low.score)} at ${clock(low.from)}.`;
  return [`${heading}: ${scores}`, ...down].join(" ");
}

function label(words, attributes) {
  const made = svg("text", attributes);
  made.textContent = words;
  return made;
}

function scale(view, { x, y, width, start, length }) {
  const here = view.levels.find((one) => one.level === view.level);
  const parts = here ? [svg("rect", {
    class: "band", "data-level": here.level, x: GUTTER, y: y(here.to), width: width - GUTTER,
    height: y(here.from_score) - y(here.to),
  })] : [];
  for (const at of [100, ...view.levels.map((one) => one.from_score)]) {
    parts.push(svg("line", { class: "tick", x1: GUTTER, x2: width, y1: y(at), y2: y(at) }));
    parts.push(label(number(at), { class: "end", x: GUTTER - 8, y: y(at) + 4 }));
  }
  const every = Math.max(1, Math.round(length / MINUTE / (width < 500 ? 3 : 6))) * MINUTE;
  for (let at = Math.ceil(start / every) * every; at <= view.at; at += every) {
    parts.push(svg("line", { class: "tick", x1: x(at), x2: x(at), y1: PLOT, y2: PLOT + 4 }));
    const fits = x(at) > GUTTER + 14 && x(at) < width - 22;
    if (fits) parts.push(label(shortClock(at), { class: "middle", x: x(at), y: PLOT + 20 }));
  }
  return parts;
}

function curve(view, runs, { x, y, width, start }) {
  const parts = [svg("path", { class: "score", d: pathOf(runs, x, y) })];
  const known = runs[0]?.from ?? view.at;
  if (x(known) > GUTTER + 190) {
    parts.push(label(`nothing known before ${shortClock(known)}`, { class: "end", x: x(known) - 8, y: PLOT / 2 }));
  }
  if (Number.isFinite(view.score)) {
    parts.push(svg("circle", { class: "point", cx: width - 4, cy: y(view.score), r: 4 }));
  }
  return parts;
}

// The lower the level, the lower its strip: as in its icon.
function strip(view, runs, top, { x }) {
  const parts = [label("level", { class: "end", x: GUTTER - 8, y: top + 11 })];
  for (const run of runs) {
    const high = 3 + 2.75 * (view.levels.length - 1 - view.levels.findIndex((one) => one.level === run.level));
    parts.push(svg("rect", {
      class: "strip", "data-level": run.level, x: x(run.from), y: top + 13 - high,
      width: x(run.to) - x(run.from) + 0.5, height: high,
    }));
  }
  return parts;
}

function lane({ name, outages }, top, { x, width }) {
  const parts = [
    label(name, { class: "end", x: GUTTER - 8, y: top + 11 }),
    svg("line", { class: "lane", x1: GUTTER, x2: width, y1: top + 7, y2: top + 7 }),
  ];
  for (const o of outages) {
    const [from, to] = [x(o.began), x(o.to)];
    const hint = svg("title");
    hint.textContent = `${name} down for ${span((o.to - o.began) / 1000)} from ${clock(o.began)}: ${o.reason}`;
    parts.push(svg("rect", {
      class: "outage", x: Math.min(from, width - 3), y: top + 2, width: Math.max(3, to - from), height: 10, rx: 2,
    }, hint));
  }
  return parts;
}

export function renderChart(view) {
  const plot = byId("plot");
  const width = plot.clientWidth;
  if (width < GUTTER * 2) return;
  const length = windowOf(view);
  const start = view.at - length;
  const x = (ms) => +(GUTTER + ((width - GUTTER) * (Math.max(ms, start) - start)) / length).toFixed(1);
  const y = (score) => +(PLOT * (1 - score / 100)).toFixed(1);
  const frame = { x, y, width, start, length };
  const runs = steps(view, start);
  const lanes = lanesOf(view, start);
  const heading = `Score, last ${length / MINUTE} minutes`;
  text(byId("chart-title"), heading);
  const below = PLOT + 34;
  const height = below + LANE * (lanes.length + 1);

  const hair = svg("line", { class: "hair", y1: 0, y2: height, x1: GUTTER, x2: GUTTER, visibility: "hidden" });
  fill(plot, svg("svg", {
    role: "img", "aria-label": described(view, runs, lanes, heading), width, height, viewBox: `0 0 ${width} ${height}`,
  }, ...scale(view, frame), ...curve(view, runs, frame), ...strip(view, runs, below, frame),
  ...lanes.flatMap((one, i) => lane(one, below + LANE * (i + 1), frame)), hair));
  drawn = { view, runs, lanes, start, length, width };
}

// Under the pointer: the time, the score, the level and what was down.
function point(event) {
  if (!drawn) return;
  const offset = event.clientX - byId("plot").getBoundingClientRect().left;
  const at = drawn.start + (drawn.length * (offset - GUTTER)) / (drawn.width - GUTTER);
  const run = drawn.runs.find((one) => one.from <= at && at < one.to);
  const wasDown = (lane) => lane.outages.some((o) => o.began <= at && at < o.to);
  const down = drawn.lanes.filter(wasDown).map((lane) => lane.name);
  const also = down.length ? `, ${listed(down)} down` : "";
  text(byId("readout"), run ? `${clock(at)}: ${run.level} ${points(run.score)}${also}` : "");
  const hair = byId("plot").querySelector(".hair");
  for (const end of ["x1", "x2"]) hair?.setAttribute(end, offset);
  hair?.setAttribute("visibility", run ? "visible" : "hidden");
}

function leave() {
  text(byId("readout"), "");
  byId("plot").querySelector(".hair")?.setAttribute("visibility", "hidden");
}

export function watchChart() {
  byId("plot").addEventListener("pointermove", point);
  byId("plot").addEventListener("pointerleave", leave);
  new ResizeObserver(() => drawn && renderChart(drawn.view)).observe(byId("plot"));
}
