// SPDX-License-Identifier: BSL-1.0
// Turns an answer of /api/overview into what the panels show. The names of its fields are known here and where a
// panel reads `circuit`, `component` or a list of it.

// How a dependency is doing, worst first: this is the order of the table.
const KINDS = {
  down: { word: "Down", tone: "bad" },
  held: { word: "Held off", tone: "bad" },
  trying: { word: "Being tried", tone: "warn" },
  failing: { word: "Failing", tone: "warn", icon: "weak" },
  weak: { word: "Slow", tone: "warn" },
  shaky: { word: "Some calls fail", tone: "warn", icon: "weak" },
  unknown: { word: "Not checked", tone: "none" },
  unguarded: { word: "Not guarded", tone: "none", icon: "unknown" },
  unproven: { word: "Check passes", tone: "none", icon: "up" }, // and no call has succeeded since it was down
  up: { word: "Working", tone: "good" },
};
const ORDER = Object.keys(KINDS);
const BY_STATE = {
  open: "down", half_open: "trying", forced_open: "held", disabled: "unguarded", metrics_only: "unguarded",
};

function kindOf(circuit, component) {
  if (circuit.state !== "closed") return BY_STATE[circuit.state] ?? "unknown";
  if (circuit.probe.last_error) return "failing";
  if (component.unknown || circuit.probe.last_at === null) return "unknown";
  if (component.lost_points < 0.05) return circuit.outages.call_succeeded_since === false ? "unproven" : "up";
  return circuit.trouble === "slow" ? "weak" : "shaky";
}

const time = (text) => (text ? Date.parse(text) : null);

function outage(one) {
  return { ...one, began: time(one.began), ended: time(one.ended), lastTry: time(one.last_try_at) };
}

// Outages of one dependency that follow one another before the level is back at its best are one, with relapses:
// at a low level no calls are made, so probes alone end an outage that calls would not find over.
function episodes(outages, history, best) {
  const wasBest = (from, to) =>
    history.some((point, i) => point.level === best && point.at < to && (history[i + 1]?.at ?? Infinity) > from);
  const found = [];
  for (const one of outages) {
    const before = found.at(-1)?.at(-1);
    if (before && !wasBest(before.ended, one.began)) found.at(-1).push(one);
    else found.push([one]);
  }
  return found;
}

function dependency(circuit, component, at) {
  const kind = kindOf(circuit, component);
  const waits = kind === "down" && Number.isFinite(circuit.retry_after_seconds);
  const nextTry = waits ? at + circuit.retry_after_seconds * 1000 : null;
  const { held, last_failure: failure } = circuit;
  return {
    ...KINDS[kind], kind, name: circuit.name, icon: KINDS[kind].icon ?? kind, circuit, component, held,
    simulated: circuit.simulated, simulation: circuit.simulation, outages: circuit.outages.recent.map(outage),
    // An outage outlives the states it passes through: open and half-open, again and again.
    downSince: time(circuit.outages.running_since) ?? (kind === "held" ? time(held?.since ?? circuit.since) : null),
    nextTry, wait: nextTry && nextTry - time(circuit.since),
    error: circuit.probe.last_error || failure?.reason || "", errorIsOver: !circuit.probe.last_error && kind !== "down",
    errorAt: time(failure?.at), errorOf: failure?.source === "call" ? "a call" : "a check",
    latency: circuit.recent.calls > 0 ? circuit.recent.mean_latency_ms : null,
    weight: component.weight, cost: component.lost_points, recovery: circuit.predicted_recovery_seconds,
  };
}

// Throws when the answer has another shape. `received`: the browser's clock, for a server that says no time.
export function understand(overview, received) {
  const d = overview.degradation;
  const at = time(overview.at) ?? received; // never the browser's clock if there is another: it may be wrong by hours
  const history = d.score_history.map((point) => ({ ...point, at: time(point.at) }));
  const dependencies = overview.circuit_breakers.map((one) => dependency(one, d.components[one.name], at));
  for (const one of dependencies) one.episodes = episodes(one.outages, history, d.levels[0].level);
  dependencies.sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind) || b.weight - a.weight);
  return {
    at, dependencies,
    level: d.degradation_level, byHealth: d.level_by_health, score: d.health_score, assessed: d.assessed,
    ready: d.ready, dryRun: d.dry_run, knownShare: d.known_share, settings: d.settings, pools: d.pools,
    dwell: d.dwell_seconds, override: d.override && { ...d.override, until: at + d.override.expires_in_seconds * 1000 },
    better: d.outlook.better, worse: d.outlook.worse, recovery: d.predicted_recovery_seconds,
    levels: d.levels.map((one, i) => ({ ...one, to: i ? d.levels[i - 1].from_score : 100 })),
    history,
    transitions: d.transitions.map((change) => ({ ...change, at: time(change.at) })),
    changes: d.circuit_changes.map((change) => ({ ...change, at: time(change.at) })),
    releases: d.releases.map((release) => ({ ...release, at: time(release.at) })),
    features: overview.features,
  };
}

export const isDown = (one) => one.kind === "down" || one.kind === "held";
