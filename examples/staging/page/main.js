// SPDX-License-Identifier: BSL-1.0
// Asks, shows, ticks. Everything that is shown comes from one answer and the time that has passed since.
import { renderChart, watchChart } from "./chart.js";
import { watchControls } from "./controls.js";
import { EVERY_MS, HIDDEN_EVERY_MS, Server } from "./data.js";
import { renderDependencies } from "./dependencies.js";
import { byId, show, text } from "./dom.js";
import { renderFeatures } from "./features.js";
import { clock, listed, span } from "./format.js";
import { renderLadder } from "./ladder.js";
import { renderSentence, titleOf } from "./sentence.js";
import { renderTimeline, watchTimeline } from "./timeline.js";
import { isDown, understand } from "./view.js";

const KEPT_AS = "brownout-staging-key";
const LONGEST_WAIT_MS = 30000;
const TITLE = "brownout staging";
const server = new Server();

let view = null; // what is shown
let answeredAt = 0; // by performance.now(), which a changed clock does not move
let wait = EVERY_MS; // until the next answer is due
let failures = 0;
let trouble = "";
let timer = null;
let round = 0; // what an earlier round still answers is not shown

const since = () => performance.now() - answeredAt;
const staleAfter = () => 2 * wait + EVERY_MS / 4; // two missed rounds
const isStale = () => since() > staleAfter();

// The server's clock, carried on from its last answer. It stops when that is stale: a countdown must not go on over
// figures that the server no longer confirms.
const now = () => view.at + Math.min(since(), staleAfter());

function tick() {
  if (!view) return;
  const stale = isStale();
  byId("view").toggleAttribute("data-stale", stale);
  byId("fresh").toggleAttribute("data-stale", stale);
  show(byId("stale"), stale);
  // The alert names a moment, not a duration: an alert that ticks would be read out every second.
  const asOf = `Everything below is as of ${clock(view.at)} and may be out of date.`;
  if (stale) text(byId("stale"), `${trouble || "The server does not answer."} ${asOf}`);
  const missing = span(since() / 1000);
  text(byId("fresh"), stale ? `No answer for ${missing}` : `Live, as of ${clock(view.at)}`);
  document.title = stale ? `STALE ${missing} – ${titleOf(view)}` : `${titleOf(view)} – ${TITLE}`;
  for (const render of [renderSentence, renderDependencies, renderLadder, renderTimeline]) render(view, now());
}

// Reads out what changed, once. The sentence itself ticks, so it is not live.
function announce(before) {
  const down = (of) => of.dependencies.filter(isDown).map((one) => one.name).sort();
  if (!before || (before.level === view.level && String(down(before)) === String(down(view)))) return;
  const level = before.level === view.level ? `The level is still ${view.level}.`
    : `The level changed from ${before.level} to ${view.level}.`;
  text(byId("announce"), `${level} ${down(view).length ? `Down: ${listed(down(view))}.` : "Nothing is down."}`);
}

function take(answer) {
  const before = view;
  view = understand(answer.overview, answer.received);
  [answeredAt, wait, failures, trouble] = [performance.now(), answer.wait, 0, ""];
  document.body.dataset.level = view.level;
  show(byId("view"), true);
  announce(before);
  renderChart(view);
  renderFeatures(view);
  tick();
}

async function refresh() {
  const mine = ++round;
  const answer = await server.ask();
  if (mine !== round) return;
  if (answer.status === 401) return askForKey("The server does not accept this key.");
  if (answer.overview) {
    const before = view;
    try {
      take(answer);
    } catch {
      view = before;
      answer.trouble = "The server’s answer has another shape than this page knows. Load the page again.";
    }
  }
  if (answer.trouble) {
    trouble = answer.trouble;
    const backOff = Math.min(EVERY_MS * 2 ** failures++, LONGEST_WAIT_MS);
    askIn(Math.max(answer.wait, backOff));
    if (!view) text(byId("fresh"), trouble);
    return tick();
  }
  if (document.hidden) wait = Math.max(wait, HIDDEN_EVERY_MS);
  askIn(wait);
}

function askIn(milliseconds) {
  clearTimeout(timer);
  timer = setTimeout(refresh, milliseconds);
}

// Seen again, the page asks at once.
function seen() {
  if (!view || document.hidden) return;
  wait = EVERY_MS;
  askIn(0);
}

// Where the browser keeps nothing for the page, it asks for the key again after a reload.
function storage(use) {
  try {
    return use(sessionStorage);
  } catch {
    return null;
  }
}

function keep(key) {
  server.useKey(key);
  storage((kept) => (key === null ? kept.removeItem(KEPT_AS) : kept.setItem(KEPT_AS, key)));
}

function askForKey(message) {
  ++round;
  clearTimeout(timer);
  view = null;
  keep(null);
  byId("dialog").close();
  for (const [id, shown] of [["view", false], ["forget", false], ["key-form", true]]) show(byId(id), shown);
  delete document.body.dataset.level;
  text(byId("key-wrong"), message);
  text(byId("fresh"), "");
  document.title = TITLE;
  byId("key").focus();
}

function begin() {
  show(byId("key-form"), false);
  show(byId("forget"), true);
  text(byId("fresh"), "Asking the server …");
  refresh();
}

function takeKey(event) {
  event.preventDefault();
  const key = byId("key").value.trim();
  byId("key").value = "";
  if (!/^[\x21-\x7e]+$/.test(key)) {
    return text(byId("key-wrong"), "A key has letters, digits and signs, and no blanks.");
  }
  keep(key);
  begin();
}

byId("key-form").addEventListener("submit", takeKey);
byId("forget").addEventListener("click", () => askForKey(""));
document.addEventListener("visibilitychange", seen);
watchChart();
watchTimeline(tick);
watchControls(server, () => view, () => askIn(0));
setInterval(tick, 1000);

const key = storage((kept) => kept.getItem(KEPT_AS));
if (key === null) {
  askForKey("");
} else {
  server.useKey(key);
  begin();
}
