// SPDX-License-Identifier: BSL-1.0

// page.js as a browser runs it, but in a document made of a few objects, with the clock in the test's hand; what it
// shows comes from a real server.
//
// node page.test.mjs SERVER

if (Number(process.versions.node.split(".")[0]) < 18) {
  console.log(`SKIPPED: needs Node 18 or newer, found ${process.versions.node}`);
  process.exit();
}

const { test, before, after } = await import("node:test");
const assert = (await import("node:assert")).strict;
const { spawn } = await import("node:child_process");
const { readFileSync } = await import("node:fs");
const { createInterface } = await import("node:readline");
const vm = await import("node:vm");

const key = "key-of-the-staging-tests";
const hostile = `<img src=x onerror="alert(1)"><script>alert(2)</script>`;
const pageFile = (name) => readFileSync(new URL(`../../examples/staging/page/${name}`, import.meta.url), "utf8");

// --- A document: what page.js uses of it, and no more. What would make markup of a text throws.

class Element {
  children = [];
  parent = null;
  attributes = {};
  dataset = {};
  listeners = {};
  hidden = false;
  focused = 0;
  writes = 0;
  value = "";
  #text = "";

  constructor(tag) { this.tag = tag; }

  get textContent() { return this.#text + this.children.map((child) => child.textContent).join(""); }
  set textContent(text) {
    ++this.writes;
    this.children = [];
    this.#text = String(text);
  }
  append(...added) {
    for (const child of added) {
      assert.ok(child instanceof Element, "only elements are appended");
      child.parent = this;
      this.children.push(child);
    }
  }
  remove() { this.parent.children.splice(this.parent.children.indexOf(this), 1); }
  setAttribute(name, value) {
    assert.doesNotMatch(name, /^(on|style|src|href|srcdoc)/i);
    this.attributes[name] = String(value);
  }
  addEventListener(name, listener) { this.listeners[name] = listener; }
  focus() { ++this.focused; }

  get all() { return [this, ...this.children.flatMap((child) => child.all)]; }
}
for (const name of ["innerHTML", "outerHTML", "srcdoc", "style"]) {
  Object.defineProperty(Element.prototype, name, {
    get() { throw new Error(`${name} is read`); },
    set() { throw new Error(`${name} is set`); },
  });
}

function makeDocument() {
  const elements = new Map();
  for (const [tag, name, attributes] of pageFile("index.html").matchAll(/<(\w+)([^>]*)>/g)) {
    const id = /\sid="([^"]*)"/.exec(attributes)?.[1];
    if (!id) continue;
    assert.ok(!elements.has(id), `two elements are called ${id}`);
    elements.set(id, new Element(name));
    elements.get(id).hidden = /\shidden\b/.test(attributes) && tag !== "";
  }
  return {
    hidden: false,
    title: "",
    listeners: {},
    created: [],
    elements,
    getElementById(id) {
      assert.ok(elements.has(id), `there is no element ${id}`);
      return elements.get(id);
    },
    createElement(tag) {
      const made = new Element(tag);
      this.created.push(made);
      return made;
    },
    addEventListener(name, listener) { this.listeners[name] = listener; },
  };
}

// --- A page: the script in its document, with what it asks for, waits for and keeps.

const headersOf = (headers) => new Headers(headers);
const answers = (status, body = "", headers = {}) => ({
  status, ok: status >= 200 && status < 300, headers: headersOf(headers), text: async () => body,
});
const turns = async () => { for (let i = 0; i < 10; ++i) await new Promise(setImmediate); };

class Page {
  document = makeDocument();
  kept = new Map();
  asked = [];
  timer = null;
  now = 0;

  constructor({ fetch, kept, parse = JSON.parse, keeps = true }) {
    if (kept) this.kept.set("brownout-staging-key", kept);
    const page = this;
    this.answer = fetch;
    this.context = vm.createContext({
      document: this.document,
      get sessionStorage() {
        if (!keeps) throw new Error("SecurityError");
        return {
          getItem: (name) => page.kept.get(name) ?? null,
          setItem: (name, value) => page.kept.set(name, value),
          removeItem: (name) => page.kept.delete(name),
        };
      },
      fetch: async (path, options) => {
        page.asked.push({ path, options });
        page.underWay = page.answer(path, options);
        return page.underWay;
      },
      setTimeout: (run, wait) => {
        assert.equal(page.timer, null, "two timers run");
        page.timer = { run, wait };
        return page.timer;
      },
      clearTimeout: (timer) => { if (timer !== null && timer === page.timer) page.timer = null; },
      performance: { now: () => page.now },
      Date: class extends Date {
        constructor() { super(Date.UTC(2025, 9, 19, 6, 0, 0) + page.now); }
      },
      AbortSignal,
    });
    this.context.JSON = { parse };
    vm.runInContext(pageFile("page.js"), this.context, { filename: "page.js" });
  }

  async settle() {
    try { await this.underWay; } catch { /* the page's business */ }
    await turns();
    return this;
  }
  // The clock goes on until the timer rings.
  async next() {
    const { run, wait } = this.timer;
    this.now += wait;
    this.timer = null;
    run();
    return this.settle();
  }
  async enter(value) {
    let prevented = false;
    this.get("key").value = value;
    this.get("key-form").listeners.submit({ preventDefault: () => { prevented = true; } });
    assert.ok(prevented, "the browser submits the form");
    return this.settle();
  }
  async setHidden(hidden) {
    this.document.hidden = hidden;
    this.document.listeners.visibilitychange();
    return this.settle();
  }
  get(id) { return this.document.getElementById(id); }
  text(id) { return this.get(id).textContent; }
  rows(id) { return this.get(id).children[1].children.map((row) => row.children.map((cell) => cell.textContent)); }
  get wait() { return this.timer?.wait; }
}

// --- The server.

let server;
let address;
let overview; // one of its answers, eventful: a circuit is open, there were transitions, there is an override

async function call(path, body) {
  const response = await fetch(address + path, {
    method: body ? "POST" : "GET", body: body && JSON.stringify(body), headers: { "X-API-Key": key },
  });
  assert.equal(response.status, 200, path);
  return response.text();
}

before(async () => {
  server = spawn(process.argv[2], [], {
    env: { DASHBOARD_API_KEY: key, API_PORT: "0", HEALTH_CHECK_INTERVAL: "0.05", DASHBOARD_RATELIMIT_ENABLED: "false" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = createInterface({ input: server.stdout });
  address = await new Promise((resolve, reject) => {
    lines.on("line", (line) => {
      const { message, address: where } = JSON.parse(line);
      if (message === "listening") resolve(where);
    });
    server.on("exit", () => reject(new Error("the server ended")));
  });
  const level = async () => JSON.parse(await call("/api/overview")).degradation.degradation_level;
  const deadline = Date.now() + 10000;
  while ((await level()) !== "OPTIMAL") assert.ok(Date.now() < deadline, "the server does not become healthy");
  await call("/api/circuit-breakers/redis/open", {});
  await call("/api/degradation/override", {
    kind: "cap", level: "LIMITED", reason: hostile, actor: hostile.slice(0, 28), expiry: 600,
  });
  overview = await call("/api/overview");
});

after(() => server.kill());

const fromServer = (path, options) => fetch(address + path, options);
const withAnswer = () => async () => answers(200, overview);

// --- The tests.

test("a page without a key asks for it, and asks the server nothing", async () => {
  const page = await new Page({ fetch: fromServer }).settle();
  assert.equal(page.asked.length, 0);
  assert.equal(page.get("key-form").hidden, false);
  assert.equal(page.get("view").hidden, true);
  assert.equal(page.get("key").focused, 1);
});

test("a wrong key is forgotten and asked for again, in words", async () => {
  const page = new Page({ fetch: fromServer, kept: "not-the-key-of-it" });
  await page.settle();
  assert.equal(page.asked.length, 1);
  assert.equal(page.kept.size, 0);
  assert.equal(page.get("key-form").hidden, false);
  assert.equal(page.get("view").hidden, true);
  assert.match(page.text("key-message"), /does not accept this key/);
  assert.equal(page.timer, null);
  await page.setHidden(true);
  await page.setHidden(false);
  assert.equal(page.asked.length, 1);
});

test("a key that stops being right takes the figures away", async () => {
  const page = await new Page({ fetch: withAnswer(), kept: key }).settle();
  assert.equal(page.get("view").hidden, false);
  page.answer = async () => answers(401);
  await page.next();
  assert.equal(page.get("view").hidden, true);
  assert.equal(page.kept.size, 0);
  assert.equal(page.timer, null);
});

test("the right key shows what the server says, and is kept for the session only", async () => {
  const page = new Page({ fetch: fromServer });
  await page.enter(` ${key} `);
  assert.deepEqual([...page.kept.values()], [key]);
  assert.equal(page.get("key").value, "");
  assert.equal(page.get("view").hidden, false);
  assert.equal(page.text("banner"), "");
  assert.equal(page.text("level"), "LIMITED");
  assert.equal(page.text("score"), "85");
  assert.equal(page.get("score-bar").value, 85);
  assert.equal(page.text("level-by-health"), "DEGRADED");
  assert.equal(page.text("dry-run"), "no");
  assert.match(page.text("override"), /^cap at LIMITED by <img src=x onerror="alert\(1\) ?: <img .*; ends in \d+ min/);
  assert.match(page.text("outlook"), /OPTIMAL when the score holds 92/);
  assert.equal(page.text("recovery"), "unknown");
  const component = page.rows("components").find(([name]) => name === "redis");
  assert.deepEqual(component, ["redis", "simulated", "forced open", "0", "15 %", "0", "15", "100 %", "standard"]);
  assert.equal(page.rows("components").length, 4);
  const breaker = page.rows("breakers").find(([name]) => name === "redis");
  assert.equal(breaker[1], "forced open");
  assert.match(breaker[2], /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/);
  assert.equal(breaker[3], "when somebody closes it");
  assert.match(page.rows("breakers")[0][4], / UTC, took [\d.]+ ms$/);
  assert.equal(page.rows("features").length, 16);
  assert.equal(page.text("features-count"), "8 of 16 available; the level allows 8.");
  assert.deepEqual(page.rows("features").find(([name]) => name === "redis cache"),
    ["redis cache", "off", "not allowed at LIMITED; the circuit of redis refuses calls"]);
  assert.match(page.rows("transitions")[0][3], / -> /);
  // The cells say what they are also where columns become cards.
  for (const row of page.get("features").children[1].children) {
    assert.deepEqual(row.children.map((cell) => cell.dataset.label), ["Feature", "Mode", "Reason"]);
    assert.deepEqual(row.children.map((cell) => cell.attributes.role), ["rowheader", "cell", "cell"]);
  }
});

test("the key goes to the server's own path, in a header", async () => {
  const page = await new Page({ fetch: withAnswer(), kept: key }).settle();
  const [{ path, options }] = page.asked;
  assert.match(path, /^\/[^/]/);
  assert.ok(!path.includes(key));
  assert.equal(options.headers["X-API-Key"], key);
  assert.equal(options.redirect, "error");
  assert.equal(options.credentials, "omit");
  assert.ok(options.signal instanceof AbortSignal, "it would wait for ever");
});

test("whatever the server's texts hold, they are shown as text", async () => {
  const spoilt = JSON.stringify(JSON.parse(overview), (name, value) => {
    if (typeof value === "string") return hostile;
    if (name !== "components") return value;
    return Object.fromEntries(Object.entries(value).map(([of, one]) => [hostile + of, one]));
  });
  const page = await new Page({ fetch: async () => answers(200, spoilt), kept: key }).settle();
  assert.equal(page.get("view").hidden, false);
  assert.equal(page.text("level"), hostile);
  assert.equal(page.rows("components")[0][0], `${hostile}openai`);
  assert.equal(page.rows("features")[0][2], hostile);
  assert.equal(page.rows("transitions")[0][3], hostile);
  const allowed = new Set(["thead", "tbody", "tr", "th", "td", "span"]);
  for (const { tag } of page.document.created) assert.ok(allowed.has(tag), `a ${tag} was made`);
  for (const root of page.document.elements.values()) {
    for (const { attributes, dataset } of root.all) {
      for (const value of [...Object.values(attributes), ...Object.values(dataset)]) assert.ok(!value.includes("<"));
    }
  }
});

test("answers of another shape are shown as unknown, and the page goes on", async () => {
  for (const body of ["{}", "[]", `{"degradation":7,"circuit_breakers":"x","features":{"features":[null,{}]}}`]) {
    const page = await new Page({ fetch: async () => answers(200, body), kept: key }).settle();
    assert.equal(page.text("level"), "unknown", body);
    assert.equal(page.text("score"), "unknown", body);
    assert.equal(page.get("score-bar").hidden, true, body);
    assert.equal(page.wait, 2000, body);
  }
});

test("an answer is read by the table of fields alone, and all of that is there", async () => {
  const read = new Set();
  const missing = new Set();
  const watched = (value, path) => {
    if (value === null || typeof value !== "object") return value;
    return new Proxy(value, {
      get(target, name) {
        const at = `${path}/${Array.isArray(target) || path.endsWith("/components") ? "*" : String(name)}`;
        if (typeof name === "symbol") return target[name];
        if (!Object.hasOwn(target, name)) missing.add(at);
        read.add(at);
        return watched(target[name], at);
      },
    });
  };
  const page = new Page({
    fetch: withAnswer(), kept: key, parse: (text) => watched(JSON.parse(text), ""),
  });
  await page.settle();
  const fields = Object.values(vm.runInContext("FIELDS", page.context));
  const withParents = new Set(fields.flatMap((pointer) =>
    pointer.split("/").slice(1).map((_, i, segments) => `/${segments.slice(0, i + 1).join("/")}`)));
  assert.deepEqual([...missing], []);
  assert.deepEqual([...read].filter((at) => !withParents.has(at)), []);
  // Only a limit of the score and predictions are not there this time.
  const unread = fields.filter((pointer) => !read.has(pointer));
  const absent = /predicted_recovery|before_limits|\/retry_after_seconds/;
  assert.deepEqual(unread.filter((pointer) => !absent.test(pointer)), []);
});

test("the level is written when it changes, and not each time: it is read out", async () => {
  const page = await new Page({ fetch: withAnswer(), kept: key }).settle();
  const written = page.get("level").writes;
  await page.next();
  await page.next();
  assert.equal(page.get("level").writes, written);
  const worse = overview.replace(`"degradation_level":"LIMITED"`, `"degradation_level":"MINIMAL"`);
  page.answer = async () => answers(200, worse);
  await page.next();
  assert.equal(page.get("level").writes, written + 1);
  assert.equal(page.text("level"), "MINIMAL");
});

test("rows that are no longer there go away", async () => {
  const page = await new Page({ fetch: withAnswer(), kept: key }).settle();
  const shorter = JSON.parse(overview);
  shorter.circuit_breakers.splice(1, 2);
  shorter.degradation.transitions = [];
  page.answer = async () => answers(200, JSON.stringify(shorter));
  await page.next();
  assert.deepEqual(page.rows("breakers").map(([name]) => name), ["openai", "s3"]);
  assert.equal(page.get("no-transitions").hidden, false);
  assert.equal(page.get("transitions").hidden, true);
});

test("the last transitions are shown, the latest first", async () => {
  const many = JSON.parse(overview);
  const one = many.degradation.transitions[0];
  many.degradation.transitions = Array.from({ length: 15 }, (_, i) => ({ ...one, explanation: `number ${i}` }));
  const page = await new Page({ fetch: async () => answers(200, JSON.stringify(many)), kept: key }).settle();
  const shown = page.rows("transitions").map((row) => row[3]);
  assert.equal(shown.length, 10);
  assert.equal(shown[0], "number 14");
  assert.equal(shown[9], "number 5");
});

test("a server that can't be reached: said since when, asked ever more seldom, the last figures kept", async () => {
  const page = await new Page({ fetch: withAnswer(), kept: key }).settle();
  assert.equal(page.wait, 2000);
  page.answer = async () => { throw new TypeError("Failed to fetch"); };
  const waits = [];
  const banners = new Set();
  for (let i = 0; i < 6; ++i) {
    await page.next();
    waits.push(page.wait);
    banners.add(page.text("banner"));
  }
  assert.deepEqual(waits, [2000, 4000, 8000, 16000, 30000, 30000]);
  assert.equal(banners.size, 1, "the same moment, each time");
  assert.match(page.text("banner"), /unreachable since 2025-10-19 06:00:02 UTC/);
  assert.match(page.text("banner"), /Shown is what was so at 2025-10-19 06:00:00 UTC/);
  assert.equal(page.get("view").hidden, false);
  assert.equal(page.get("view").dataset.stale, "yes");
  assert.equal(page.kept.size, 1);

  page.answer = withAnswer();
  await page.next();
  assert.equal(page.text("banner"), "");
  assert.equal(page.get("view").dataset.stale, undefined);
  assert.equal(page.wait, 2000);

  // The next time is counted anew.
  page.answer = async () => { throw new TypeError("Failed to fetch"); };
  await page.next();
  assert.equal(page.wait, 2000);
  assert.match(page.text("banner"), /unreachable since 2025-10-19 06:01:34 UTC/);
});

test("an error of the server is told apart from a server that can't be reached", async () => {
  const page = await new Page({ fetch: async () => answers(503, "{}", { "Retry-After": "7" }), kept: key }).settle();
  assert.match(page.text("banner"), /answers with an error, 503/);
  assert.doesNotMatch(page.text("banner"), /unreachable/);
  assert.equal(page.wait, 7000);
  page.answer = async () => answers(200, "<html>a proxy's page</html>");
  await page.next();
  assert.match(page.text("banner"), /not this server's JSON/);
  assert.equal(page.get("view").hidden, true);
  assert.equal(page.wait, 4000);
});

test("the rate limit: waited for when used up, and a quarter of it left to others", async () => {
  const page = await new Page({ fetch: async () => answers(429, "{}", { "Retry-After": "17" }), kept: key }).settle();
  assert.match(page.text("banner"), /rate limit/);
  assert.equal(page.wait, 17000);
  const left = (remaining, reset) => ({
    "RateLimit-Limit": "100", "RateLimit-Remaining": String(remaining), "RateLimit-Reset": String(reset),
  });
  for (const [remaining, reset, wait] of [[99, 60, 2000], [30, 50, 10000], [3, 40, 40000]]) {
    page.answer = async () => answers(200, overview, left(remaining, reset));
    await page.next();
    assert.equal(page.wait, wait);
  }
});

test("a hidden tab asks nothing; visible again it asks when it is due", async () => {
  const page = await new Page({ fetch: withAnswer(), kept: key }).settle();
  await page.setHidden(true);
  assert.equal(page.timer, null);
  page.now += 500;
  await page.setHidden(false);
  assert.equal(page.wait, 1500);
  await page.setHidden(true);
  page.now += 60000;
  await page.setHidden(false);
  assert.equal(page.wait, 0);
  await page.next();
  assert.equal(page.asked.length, 2);

  // Hidden while an answer is under way: it is shown, and none is asked for.
  let give;
  page.answer = () => new Promise((resolve) => { give = resolve; });
  const ringing = page.timer.run;
  page.timer = null;
  ringing();
  await turns();
  page.document.hidden = true;
  page.document.listeners.visibilitychange();
  page.document.hidden = false;
  page.document.listeners.visibilitychange();
  assert.equal(page.timer, null, "one question at a time");
  page.document.hidden = true;
  page.document.listeners.visibilitychange();
  give(answers(200, overview));
  await turns();
  assert.equal(page.timer, null);
});

test("a forgotten key's answer is not shown any more", async () => {
  let give;
  const page = new Page({ fetch: () => new Promise((resolve) => { give = resolve; }), kept: key });
  await turns();
  page.get("forget").listeners.click();
  give(answers(200, overview));
  await turns();
  assert.equal(page.get("view").hidden, true);
  assert.equal(page.kept.size, 0);
  assert.equal(page.timer, null);
});

test("what can't be a key is not sent", async () => {
  const page = new Page({ fetch: fromServer });
  for (const wrong of ["", "  ", "two words", "schlüssel", "line\nbreak"]) {
    await page.enter(wrong);
    assert.equal(page.asked.length, 0);
    assert.equal(page.get("key-form").hidden, false);
    assert.match(page.text("key-message"), /no blanks/);
  }
});

test("a browser that keeps nothing still shows the page", async () => {
  const page = new Page({ fetch: withAnswer(), keeps: false });
  await page.enter(key);
  assert.equal(page.get("view").hidden, false);
});
