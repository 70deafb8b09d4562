// SPDX-License-Identifier: BSL-1.0
"use strict";

const OVERVIEW = "/api/overview";
const EVERY_MS = 2000;
const LONGEST_WAIT_MS = 30000;
const ANSWER_WITHIN_MS = 10000;
const KEPT_AS = "brownout-staging-key";

// Where the page finds what it shows: JSON pointers into the answer, * being each entry of a list. Nothing is read
// from an answer in any other way; a test compares them with the server's.
const FIELDS = {
  level: "/degradation/degradation_level",
  level_by_health: "/degradation/level_by_health",
  assessed: "/degradation/assessed",
  ready: "/degradation/ready",
  dry_run: "/degradation/dry_run",
  score: "/degradation/health_score",
  score_before_limits: "/degradation/score_before_limits",
  score_limit: "/degradation/score_limit",
  known_share: "/degradation/known_share",
  override: "/degradation/override",
  override_kind: "/degradation/override/kind",
  override_level: "/degradation/override/level",
  override_reason: "/degradation/override/reason",
  override_actor: "/degradation/override/actor",
  override_expiry: "/degradation/override/expires_in_seconds",
  outlook: "/degradation/outlook/explanation",
  better: "/degradation/outlook/better",
  better_level: "/degradation/outlook/better/level",
  better_in: "/degradation/outlook/better/in_seconds",
  recovery: "/degradation/predicted_recovery_seconds",
  recovery_p50: "/degradation/predicted_recovery_seconds/p50",
  recovery_p90: "/degradation/predicted_recovery_seconds/p90",
  components: "/degradation/components/*",
  component_state: "/degradation/components/*/state",
  component_score: "/degradation/components/*/score",
  component_unknown: "/degradation/components/*/unknown",
  component_weight: "/degradation/components/*/weight",
  component_points: "/degradation/components/*/points",
  component_lost: "/degradation/components/*/lost_points",
  component_trust: "/degradation/components/*/trust",
  component_criticality: "/degradation/components/*/criticality",
  component_simulated: "/degradation/components/*/simulated",
  breakers: "/circuit_breakers/*",
  breaker_name: "/circuit_breakers/*/name",
  breaker_state: "/circuit_breakers/*/state",
  breaker_since: "/circuit_breakers/*/since",
  breaker_retry: "/circuit_breakers/*/retry_after_seconds",
  breaker_probe_at: "/circuit_breakers/*/probe/last_at",
  breaker_probe_ms: "/circuit_breakers/*/probe/last_latency_ms",
  breaker_probe_hangs: "/circuit_breakers/*/probe/hanging",
  breaker_error: "/circuit_breakers/*/probe/last_error",
  breaker_recovery: "/circuit_breakers/*/predicted_recovery_seconds",
  breaker_recovery_p50: "/circuit_breakers/*/predicted_recovery_seconds/p50",
  breaker_recovery_p90: "/circuit_breakers/*/predicted_recovery_seconds/p90",
  features_total: "/features/total",
  features_allowed: "/features/allowed_by_level",
  features_available: "/features/available",
  features: "/features/features/*",
  feature_name: "/features/features/*/name",
  feature_mode: "/features/features/*/mode",
  feature_reason: "/features/features/*/reason",
  transitions: "/degradation/transitions/*",
  transition_at: "/degradation/transitions/*/at",
  transition_from: "/degradation/transitions/*/from",
  transition_to: "/degradation/transitions/*/to",
  transition_explanation: "/degradation/transitions/*/explanation",
};

const TRANSITIONS_SHOWN = 10;

// --- Reading an answer. What is missing reads as null, which shows as "unknown".

function follow(from, segments) {
  let at = from;
  for (const segment of segments) at = at?.[segment];
  return at ?? null;
}

// From an entry of a list, pointers go on behind the *.
function read(from, pointer) {
  const behind = pointer.slice(pointer.lastIndexOf("*") + 1);
  return follow(from, behind.split("/").slice(1));
}

// The entries of a list or of an object, with the names they have there.
function entries(from, pointer) {
  const list = follow(from, pointer.split("/").slice(1, -1));
  return Object.entries(list ?? {}).map(([name, value]) => ({ name, value }));
}

// --- Words for people.

function words(value) {
  return value === null ? "unknown" : String(value).replaceAll("_", " ");
}

function verbatim(value) {
  return value === null ? "unknown" : String(value);
}

function number(value) {
  return Number.isFinite(value) ? String(Math.round(value * 10) / 10) : words(value);
}

function percent(value) {
  return Number.isFinite(value) ? `${number(value * 100)} %` : words(value);
}

function yesNo(value) {
  return value === true ? "yes" : value === false ? "no" : words(value);
}

function span(seconds) {
  if (!Number.isFinite(seconds)) return words(seconds);
  if (seconds < 10) return `${number(Math.max(seconds, 0))} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

// The server's times are UTC, as those of its log.
function moment(value) {
  const parts = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(\.\d+)?Z$/.exec(value);
  return parts ? `${parts[1]} ${parts[2]} UTC` : verbatim(value);
}

function clockTime(date) {
  return moment(date.toISOString());
}

function recovery(from, whole, p50, p90) {
  if (read(from, whole) === null) return "unknown";
  return `in ${span(read(from, p50))} (p50) to ${span(read(from, p90))} (p90)`;
}

// --- Into the document: text only, and only where it changed, so that nothing is read out twice.

function byId(id) {
  return document.getElementById(id);
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function show(id, text) {
  setText(byId(id), text);
}

function setTone(element, tone) {
  if (tone) {
    element.dataset.tone = tone;
  } else {
    delete element.dataset.tone;
  }
}

const TONES = {
  OPTIMAL: "good", DEGRADED: "warn", LIMITED: "warn", MINIMAL: "bad", EMERGENCY: "bad",
  closed: "good", half_open: "warn", open: "bad", forced_open: "bad",
  full: "good", off: "bad",
};

function toneOf(value) {
  return Object.hasOwn(TONES, value) ? TONES[value] : undefined;
}

// A column: its title, what it shows of an entry, and by which value it is coloured, if at all.
const COLUMNS = {
  components: [
    ["Component", ({ name }) => name],
    ["Dependency is", ({ value }) => (read(value, FIELDS.component_simulated) === true ? "simulated" : "real")],
    ["Breaker", ({ value }) => words(read(value, FIELDS.component_state)),
      ({ value }) => read(value, FIELDS.component_state)],
    ["Score", ({ value }) =>
      read(value, FIELDS.component_unknown) === true ? "unknown" : number(read(value, FIELDS.component_score))],
    ["Weight", ({ value }) => percent(read(value, FIELDS.component_weight))],
    ["Points", ({ value }) => number(read(value, FIELDS.component_points))],
    ["Lost points", ({ value }) => number(read(value, FIELDS.component_lost))],
    ["Trust", ({ value }) => percent(read(value, FIELDS.component_trust))],
    ["Criticality", ({ value }) => words(read(value, FIELDS.component_criticality))],
  ],
  breakers: [
    ["Dependency", ({ value }) => verbatim(read(value, FIELDS.breaker_name))],
    ["State", ({ value }) => words(read(value, FIELDS.breaker_state)),
      ({ value }) => read(value, FIELDS.breaker_state)],
    ["Since", ({ value }) => moment(read(value, FIELDS.breaker_since))],
    ["Retry in", ({ value }) => retryIn(value)],
    ["Last probe", ({ value }) => probe(value)],
    ["Last error", ({ value }) => verbatim(read(value, FIELDS.breaker_error)) || "none"],
    ["Predicted recovery", ({ value }) => read(value, FIELDS.breaker_state) === "closed" ? "–" :
      recovery(value, FIELDS.breaker_recovery, FIELDS.breaker_recovery_p50, FIELDS.breaker_recovery_p90)],
  ],
  features: [
    ["Feature", ({ value }) => words(read(value, FIELDS.feature_name))],
    ["Mode", ({ value }) => words(read(value, FIELDS.feature_mode)),
      ({ value }) => read(value, FIELDS.feature_mode)],
    ["Reason", ({ value }) => verbatim(read(value, FIELDS.feature_reason))],
  ],
  transitions: [
    ["At", ({ value }) => moment(read(value, FIELDS.transition_at))],
    ["From", ({ value }) => words(read(value, FIELDS.transition_from)),
      ({ value }) => read(value, FIELDS.transition_from)],
    ["To", ({ value }) => words(read(value, FIELDS.transition_to)),
      ({ value }) => read(value, FIELDS.transition_to)],
    ["Why", ({ value }) => verbatim(read(value, FIELDS.transition_explanation))],
  ],
};

function retryIn(breaker) {
  const state = read(breaker, FIELDS.breaker_state);
  if (state === "closed") return "–";
  if (state === "forced_open") return "when somebody closes it";
  return span(read(breaker, FIELDS.breaker_retry));
}

function probe(breaker) {
  const hangs = read(breaker, FIELDS.breaker_probe_hangs) === true ? "; one hangs" : "";
  const at = read(breaker, FIELDS.breaker_probe_at);
  if (at === null) return `none yet${hangs}`;
  return `${moment(at)}, took ${number(read(breaker, FIELDS.breaker_probe_ms))} ms${hangs}`;
}

// The roles say what the elements are by themselves, until a narrow window lays them out as cards.
function cell(tag, role, text) {
  const made = document.createElement(tag);
  made.setAttribute("role", role);
  made.textContent = text;
  return made;
}

const bodies = {};

function makeTables() {
  for (const [id, columns] of Object.entries(COLUMNS)) {
    const head = cell("thead", "rowgroup", "");
    const titles = cell("tr", "row", "");
    for (const [title] of columns) {
      const made = cell("th", "columnheader", title);
      made.setAttribute("scope", "col");
      titles.append(made);
    }
    head.append(titles);
    bodies[id] = cell("tbody", "rowgroup", "");
    byId(id).setAttribute("role", "table");
    byId(id).append(head, bodies[id]);
  }
}

function makeRow(columns) {
  const row = cell("tr", "row", "");
  columns.forEach(([title], i) => {
    const made = i === 0 ? cell("th", "rowheader", "") : cell("td", "cell", "");
    if (i === 0) made.setAttribute("scope", "row");
    made.dataset.label = title;
    // Of its own: the label in front of it and its text are two things side by side.
    made.append(document.createElement("span"));
    row.append(made);
  });
  return row;
}

function fillTable(id, list) {
  const rows = bodies[id].children;
  while (rows.length > list.length) rows[rows.length - 1].remove();
  while (rows.length < list.length) bodies[id].append(makeRow(COLUMNS[id]));
  list.forEach((entry, i) => {
    COLUMNS[id].forEach(([, text, tone], column) => {
      const target = rows[i].children[column].children[0];
      setText(target, text(entry));
      setTone(target, tone && toneOf(tone(entry)));
    });
  });
}

function overrideText(answer) {
  if (read(answer, FIELDS.override) === null) return "none";
  const kind = words(read(answer, FIELDS.override_kind));
  const level = words(read(answer, FIELDS.override_level));
  const reason = verbatim(read(answer, FIELDS.override_reason));
  const actor = verbatim(read(answer, FIELDS.override_actor));
  return `${kind} at ${level} by ${actor}: ${reason}; ends in ${span(read(answer, FIELDS.override_expiry))}`;
}

function betterText(answer) {
  if (read(answer, FIELDS.better) === null) return "there is none";
  const level = words(read(answer, FIELDS.better_level));
  const seconds = read(answer, FIELDS.better_in);
  return seconds === null ? `${level}, not while the score is what it is` : `${level} in ${span(seconds)}`;
}

function limitText(answer) {
  const limit = read(answer, FIELDS.score_limit);
  if (limit === "none") return "nothing";
  return `${words(limit)}; without it ${number(read(answer, FIELDS.score_before_limits))}`;
}

function recoveryText(answer) {
  if (read(answer, FIELDS.recovery) === null && read(answer, FIELDS.level_by_health) === "OPTIMAL") {
    return "nothing to recover from, or unknown";
  }
  return recovery(answer, FIELDS.recovery, FIELDS.recovery_p50, FIELDS.recovery_p90);
}

function render(answer) {
  const level = read(answer, FIELDS.level);
  show("level", words(level));
  setTone(byId("level"), toneOf(level));
  document.title = `${words(level)} – brownout staging`;

  const score = read(answer, FIELDS.score);
  show("score", number(score));
  byId("score-bar").hidden = !Number.isFinite(score);
  byId("score-bar").value = Number.isFinite(score) ? score : 0;

  const dry = read(answer, FIELDS.dry_run) === true;
  show("level-by-health", words(read(answer, FIELDS.level_by_health)) +
    (read(answer, FIELDS.assessed) === false ? ", not assessed yet" : ""));
  show("ready", yesNo(read(answer, FIELDS.ready)));
  show("dry-run", dry ? "yes: what health decides takes nothing away" : yesNo(read(answer, FIELDS.dry_run)));
  show("override", overrideText(answer));
  show("score-limit", limitText(answer));
  show("known-share", percent(read(answer, FIELDS.known_share)));
  show("outlook", verbatim(read(answer, FIELDS.outlook)) || "nothing");
  show("better", betterText(answer));
  show("recovery", recoveryText(answer));

  fillTable("components", entries(answer, FIELDS.components));
  fillTable("breakers", entries(answer, FIELDS.breakers));
  show("features-count", `${number(read(answer, FIELDS.features_available))} of ` +
    `${number(read(answer, FIELDS.features_total))} available; the level allows ` +
    `${number(read(answer, FIELDS.features_allowed))}.`);
  fillTable("features", entries(answer, FIELDS.features));
  const transitions = entries(answer, FIELDS.transitions).reverse().slice(0, TRANSITIONS_SHOWN);
  byId("no-transitions").hidden = transitions.length > 0;
  byId("transitions").hidden = transitions.length === 0;
  fillTable("transitions", transitions);
}

// --- The key: in this tab's session storage, and nowhere else.

let key = null;

function keptKey() {
  try {
    return sessionStorage.getItem(KEPT_AS);
  } catch {
    return null; // the browser keeps nothing for this page: it asks again after each reload
  }
}

function keepKey(value) {
  key = value;
  try {
    if (value === null) {
      sessionStorage.removeItem(KEPT_AS);
    } else {
      sessionStorage.setItem(KEPT_AS, value);
    }
  } catch {
    // as above
  }
}

function askForKey(message) {
  stop();
  keepKey(null);
  byId("view").hidden = true;
  byId("forget").hidden = true;
  byId("key-form").hidden = false;
  byId("key").value = "";
  show("updated", "");
  show("banner", "");
  show("key-message", message);
  document.title = "brownout staging";
  byId("key").focus();
}

function takeKey(event) {
  event.preventDefault();
  const given = byId("key").value.trim();
  if (!/^[\x21-\x7e]+$/.test(given)) {
    show("key-message", "A key has letters, digits and signs, and no blanks.");
    return;
  }
  keepKey(given);
  byId("key").value = "";
  begin();
}

function begin() {
  byId("key-form").hidden = true;
  byId("forget").hidden = false;
  show("key-message", "");
  show("updated", "Asking the server …");
  refresh();
}

// --- Asking the server, again and again.

let round = 0;               // an answer to a question of an earlier round is not shown
let asking = false;
let timer = null;
let due = 0;                 // when to ask next, by the clock of performance.now()
let failures = 0;
let unreachableSince = null;
let shownAt = null;

function stop() {
  ++round;
  asking = false;
  clearTimeout(timer);
  failures = 0;
  unreachableSince = null;
  shownAt = null;
}

// A hidden tab asks nothing; visible again it asks at once, or when it is due.
function resume() {
  clearTimeout(timer);
  if (key === null || asking || document.hidden) return;
  timer = setTimeout(refresh, Math.max(0, due - performance.now()));
}

function askAgainAfter(milliseconds) {
  due = performance.now() + milliseconds;
  resume();
}

// 2 s; longer when less is left of the rate limit than that would use. A quarter is left to others at this address.
function pace(headers) {
  const limit = Number(headers.get("RateLimit-Limit"));
  if (!(limit > 0)) return EVERY_MS;
  const reset = Number(headers.get("RateLimit-Reset")) * 1000;
  const left = Number(headers.get("RateLimit-Remaining")) - limit / 4;
  return Math.max(EVERY_MS, reset / Math.max(left, 1));
}

function backoff(headers) {
  const asked = headers === null ? 0 : Number(headers.get("Retry-After")) * 1000;
  const doubled = Math.min(EVERY_MS * 2 ** failures++, LONGEST_WAIT_MS);
  return Number.isFinite(asked) ? Math.max(doubled, asked) : doubled;
}

async function ask() {
  try {
    const response = await fetch(OVERVIEW, {
      headers: { "X-API-Key": key },
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    const body = response.ok ? await response.text() : "";
    return { status: response.status, headers: response.headers, body };
  } catch {
    return { status: 0, headers: null, body: "" };
  }
}

function parsed(body) {
  try {
    const answer = JSON.parse(body);
    return typeof answer === "object" ? answer : null;
  } catch {
    return null;
  }
}

function complain(what) {
  if (shownAt === null) {
    show("updated", "");
  } else {
    byId("view").dataset.stale = "yes";
    what += ` Shown is what was so at ${clockTime(shownAt)}.`;
  }
  show("banner", what);
}

function whatIsWrong(status) {
  if (status !== 0) unreachableSince = null;
  if (status === 429) return "The rate limit is used up; the page goes on when the server allows it.";
  if (status === 200) return "What answers here is not this server's JSON.";
  if (status !== 0) return `The server answers with an error, ${status}.`;
  unreachableSince ??= new Date();
  return `The server is unreachable since ${clockTime(unreachableSince)}; the page keeps trying.`;
}

async function refresh() {
  const mine = ++round;
  asking = true;
  const { status, headers, body } = await ask();
  if (mine !== round) return;
  asking = false;

  if (status === 401) {
    askForKey("The server does not accept this key.");
    return;
  }
  const answer = status === 200 ? parsed(body) : null;
  if (answer === null) {
    complain(whatIsWrong(status));
    askAgainAfter(backoff(headers));
    return;
  }
  failures = 0;
  unreachableSince = null;
  shownAt = new Date();
  const wait = pace(headers);
  askAgainAfter(wait); // first: whatever is wrong with this answer, the next may be right
  render(answer);
  byId("view").hidden = false;
  delete byId("view").dataset.stale;
  show("banner", "");
  show("updated", `As of ${clockTime(shownAt)}, every ${span(wait / 1000)}`);
}

makeTables();
byId("key-form").addEventListener("submit", takeKey);
byId("forget").addEventListener("click", () => askForKey(""));
document.addEventListener("visibilitychange", resume);
key = keptKey();
if (key === null) {
  askForKey("");
} else {
  begin();
}
