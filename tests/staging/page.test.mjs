// SPDX-License-Identifier: BSL-1.0

// The modules of the live page that need no browser: what it asks, how it reads an answer, how it says numbers.
// browser/page.test.mjs tests the rest in Chromium.
//
// node page.test.mjs SERVER

if (Number(process.versions.node.split(".")[0]) < 18) {
  console.log(`SKIPPED: needs Node 18 or newer, found ${process.versions.node}`);
  process.exit();
}

const { test, before, after } = await import("node:test");
const assert = (await import("node:assert")).strict;
const { cpSync, mkdtempSync, rmSync, writeFileSync } = await import("node:fs");
const { tmpdir } = await import("node:os");
const { fileURLToPath, pathToFileURL } = await import("node:url");
const { StagingServer, eventually } = await import("./browser/session.mjs");

// Node takes a .js file for a module only beside a package.json that says so.
const directory = mkdtempSync(`${tmpdir()}/brownout-page-`);
process.on("exit", () => rmSync(directory, { recursive: true }));
cpSync(fileURLToPath(new URL("../../examples/staging/page/", import.meta.url)), directory, { recursive: true });
writeFileSync(`${directory}/package.json`, `{"type":"module"}`);
const load = (name) => import(pathToFileURL(`${directory}/${name}`).href);
const { EVERY_MS, Server, pace } = await load("data.js");
const { band, latency, listed, percent, score, span, title } = await load("format.js");
const { understand } = await load("view.js");

let server;
let overview; // one of its answers, eventful: an outage, a hold, an override

before(async () => {
  server = await StagingServer.start(process.argv[2], { HEALTH_CHECK_INTERVAL: "0.05" });
  await eventually("the server is healthy", async () => (await server.overview()).degradation.health_score === 100);
  await server.simulate("database", "down");
  await server.act("redis", "open", "a test", "maria");
  await server.override("freeze");
  await server.release();
  await server.override("cap", "LIMITED");
  await eventually("the database is down", async () => {
    overview = await server.overview();
    return overview.circuit_breakers[1].state === "open";
  });
});
after(() => server.stop());

// What understand() reads of an answer and does not find, and what it makes of it.
function read(answer) {
  const missing = new Set();
  const watched = (value, path) => {
    if (value === null || typeof value !== "object") return value;
    return new Proxy(value, {
      get(target, name) {
        if (typeof name !== "symbol" && !(name in target)) missing.add(`${path}/${name}`);
        return typeof target[name] === "function" ? target[name] : watched(target[name], `${path}/${String(name)}`);
      },
    });
  };
  return { view: understand(watched(answer, ""), 0), missing: [...missing] };
}

test("every field that the page reads is in the server's answer", () => {
  const { view, missing } = read(overview);
  assert.deepEqual(missing, []);
  const { last_failure: removed, ...first } = overview.circuit_breakers[0];
  assert.equal(removed, null);
  const shorter = { ...overview, circuit_breakers: [first, ...overview.circuit_breakers.slice(1)] };
  assert.deepEqual(read(shorter).missing, ["/circuit_breakers/0/last_failure"]);
  // What understand() hands on as it is, and the panels read.
  const has = (value, names) => names.forEach((name) => assert.ok(name in value, name));
  for (const one of view.dependencies) {
    has(one.circuit, ["half_open", "predicted_recovery_seconds", "recent", "probe", "outages"]);
    has(one.circuit.recent, ["calls", "successes"]);
    has(one.circuit.probe, ["last_latency_ms"]);
    has(one.circuit.outages, ["call_succeeded_since"]);
    has(one.circuit.half_open, ["succeeded", "needed"]);
    has(one.component, ["unknown"]);
    if (one.simulation) has(one.simulation, ["mode", "latency_ms", "error_rate"]);
    for (const o of one.outages) has(o, ["number", "reason", "failed_tries"]);
  }
  has(view.override, ["kind", "level", "actor", "reason"]);
  has(view.worse, ["level", "below_score"]);
  has(view.better, ["level", "score", "held_for_seconds", "in_seconds"]);
  has(view.settings, ["pool_size_factor", "cache_ttl_seconds", "batch_size_factor"]);
  for (const pool of Object.values(view.pools)) has(pool, ["in_use", "capacity", "waiting"]);
  for (const one of view.levels) has(one, ["level", "from_score", "features"]);
  for (const one of view.history) has(one, ["at", "score", "level"]);
  for (const one of view.changes) has(one, ["sequence", "dependency", "from", "to", "actor", "reason"]);
  assert.ok(view.releases.length);
  for (const one of view.releases) has(one, ["sequence", "at", "actor", "reason"]);
  has(view.features, ["total", "available", "features"]);
  for (const one of view.features.features) {
    has(one, ["name", "mode", "returning", "allowed_by_level", "blocked_by", "needs", "last_level"]);
  }
  for (const one of view.transitions) {
    has(one, ["sequence", "from", "to", "cause", "score", "threshold", "held_seconds", "signals", "actor", "reason"]);
    has(one, ["explanation"]);
  }
});

test("the broken dependencies come first, and an outage is as old as its first opening", () => {
  const view = understand(overview, 0);
  assert.deepEqual(view.dependencies.map(({ name, kind }) => `${name} ${kind}`),
    ["database down", "redis held", "openai up", "s3 up"]);
  const [database, redis] = view.dependencies;
  assert.equal(database.downSince, Date.parse(overview.circuit_breakers[1].outages.recent[0].began));
  assert.equal(database.error, "simulated failure");
  assert.ok(database.nextTry > view.at && database.wait > 0);
  assert.equal(redis.held.actor, "maria");
  assert.equal(redis.nextTry, null);
  assert.throws(() => understand({ degradation: 7 }, 0));
});

test("a failing, a slow and an unchecked dependency are told apart", () => {
  const kind = (change) => {
    const changed = structuredClone(overview);
    const [circuit, component] = [changed.circuit_breakers[3], changed.degradation.components.s3];
    change(circuit, component);
    return understand(changed, 0).dependencies.find((one) => one.name === "s3").kind;
  };
  assert.equal(kind(() => {}), "up");
  assert.equal(kind((circuit) => { circuit.probe.last_error = "refused"; }), "failing");
  // By what costs more, not by whether a call has failed at all.
  assert.equal(kind((circuit, component) => {
    component.lost_points = 2;
    circuit.trouble = "slow";
    circuit.recent.successes = circuit.recent.calls - 1;
  }), "weak");
  assert.equal(kind((circuit, component) => {
    component.lost_points = 2;
    circuit.trouble = "failing";
  }), "shaky");
  assert.equal(kind((circuit) => { circuit.outages.call_succeeded_since = false; }), "unproven");
  assert.equal(kind((circuit) => { circuit.probe.last_at = null; }), "unknown");
  assert.equal(kind((circuit) => { circuit.state = "half_open"; }), "trying");
  assert.equal(kind((circuit) => { circuit.state = "disabled"; }), "unguarded");
  assert.equal(kind((circuit) => { circuit.state = "of a later version"; }), "unknown");
});

test("outages before the level is back at its best are one outage with relapses", () => {
  const at = (second) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
  const changed = structuredClone(overview);
  const outage = (number, began, ended) =>
    ({ number, began: at(began), ended: ended && at(ended), reason: "quota", failed_tries: 0, last_try_at: null });
  changed.degradation.score_history = [
    [0, "OPTIMAL"], [10, "MINIMAL"], [45, "DEGRADED"], [50, "MINIMAL"], [100, "OPTIMAL"], [200, "MINIMAL"],
  ].map(([second, level]) => ({ at: at(second), score: 50, level }));
  changed.circuit_breakers[0].outages.recent =
    [outage(1, 10, 40), outage(2, 50, 80), outage(3, 200, 220), outage(4, 221, null)];
  const [one] = understand(changed, 0).dependencies.filter(({ name }) => name === "openai");
  assert.deepEqual(one.episodes.map((each) => each.map(({ number }) => number)), [[1, 2], [3, 4]]);
});

test("the key goes to the server's own path, in a header, and every call has an end", async (context) => {
  const asked = [];
  context.mock.method(globalThis, "fetch", async (path, options) => {
    asked.push({ path, options });
    return new Response(JSON.stringify({ ok: true }), { status: 200 });
  });
  const one = new Server();
  one.useKey("a-key");
  assert.deepEqual((await one.ask()).overview, { ok: true });
  assert.equal(await one.act("POST", "/api/simulate/s3", { mode: "up" }), "");
  assert.equal(await one.act("DELETE", "/api/degradation/override", { reason: "over", actor: "ann" }), "");
  for (const { path, options } of asked) {
    assert.match(path, /^\/[^/]/);
    assert.ok(!path.includes("a-key"));
    assert.equal(options.headers["X-API-Key"], "a-key");
    assert.equal(options.redirect, "error");
    assert.equal(options.credentials, "omit");
    assert.ok(options.signal instanceof AbortSignal);
  }
  assert.equal(asked[1].options.body, `{"mode":"up"}`);
  assert.equal(asked[2].options.body, `{"reason":"over","actor":"ann"}`);
});

test("what is wrong with an answer is said, and how long to wait", async (context) => {
  const one = new Server();
  const gives = (answer) => context.mock.method(globalThis, "fetch", async () => answer());
  gives(() => { throw new TypeError("Failed to fetch"); });
  assert.match((await one.ask()).trouble, /can’t be reached/);
  assert.match(await one.act("POST", "/x", {}), /unknown/);
  gives(() => new Response("{}", { status: 503, headers: { "Retry-After": "7" } }));
  assert.match((await one.ask()).trouble, /error, 503/);
  assert.equal((await one.ask()).wait, 7000);
  gives(() => new Response("{}", { status: 429, headers: { "Retry-After": "17" } }));
  assert.match((await one.ask()).trouble, /rate limit/);
  assert.match(await one.act("POST", "/x", {}), /429/);
  gives(() => new Response("<html>", { status: 200 }));
  assert.match((await one.ask()).trouble, /not this server’s JSON/);
  gives(() => new Response(`{"error":{"message":"must be a text"}}`, { status: 400 }));
  assert.equal(await one.act("POST", "/x", {}), "must be a text");
});

test("a quarter of the rate limit is left to others", () => {
  const left = (remaining, reset) => new Headers({
    "RateLimit-Limit": "100", "RateLimit-Remaining": String(remaining), "RateLimit-Reset": String(reset),
  });
  assert.equal(pace(new Headers()), EVERY_MS);
  for (const [remaining, reset, wait] of [[99, 60, 2000], [30, 50, 10000], [3, 40, 40000]]) {
    assert.equal(pace(left(remaining, reset)), wait);
  }
});

test("numbers, times and names are said as people say them", () => {
  assert.deepEqual([0, 99.4, 100, 120, 219.6, 599.6, 3599, 3600, 172800, -1, null].map(span),
    ["0 s", "99 s", "1 min 40 s", "2 min", "3 min 40 s", "10 min", "59 min", "1 h 0 min", "2 days", "0 s", "unknown"]);
  assert.equal(band(120, 380), "2 and 6 min");
  assert.equal(band(40, 380, "to"), "40 s to 6 min");
  assert.equal(band(130, 140), "2 min");
  assert.deepEqual([89.99, 55, 54.99999999, 69.3, null].map(score), ["89.9", "55", "55", "69.3", "unknown"]);
  assert.deepEqual([1.24, 9.96, 727.2, 9996].map(latency), ["1.2 ms", "10 ms", "727 ms", "10 s"]);
  assert.equal(percent(0.25), "25 %");
  assert.deepEqual([["a"], ["a", "b"], ["a", "b", "c"]].map(listed), ["a", "a and b", "a, b and c"]);
  assert.deepEqual(["read_only_access", "s3_uploads", "full_ai_pipeline"].map(title),
    ["Read only access", "S3 uploads", "Full AI pipeline"]);
});
