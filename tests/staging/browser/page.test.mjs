// SPDX-License-Identifier: BSL-1.0

// The live page in Chromium, against a real server with simulated dependencies.
//
// node page.test.mjs SERVER
import { strict as assert } from "node:assert";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { StagingServer, eventually, key, launchBrowser, pause } from "./session.mjs";

const browser = await launchBrowser();
const hostile = `<img src=x onerror="alert(1)"><script>alert(2)</script>`;
const widths = [320, 390, 768, 1280, 1600];

let server;
let opened = [];

before(async () => {
  server = await StagingServer.start(process.argv[2], {
    HEALTH_CHECK_INTERVAL: "0.1", DEGRADATION_DWELL: "0.2", DB_CB_RECOVERY_TIMEOUT: "5", REDIS_CB_RECOVERY_TIMEOUT: "5",
  });
});
after(async () => {
  await browser.close();
  server?.stop();
});
beforeEach(() => server.heal());
afterEach(async () => {
  for (const one of opened.splice(0)) {
    const violations = await one.page.evaluate(() => globalThis.violations);
    await one.page.context().close();
    assert.deepEqual(violations, [], "the Content-Security-Policy was violated");
    assert.deepEqual(one.complaints.filter((text) => !one.expected.test(text)), [], "the console complains");
  }
});

// A page of its own, with the key unless `withKey` says otherwise. `expected`: what its console may say.
async function open({ width = 1280, height = 900, colorScheme = "light", withKey = true, expected = /^$/ } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme });
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("dialog", (dialog) => complaints.push(`a dialog: ${dialog.message()}`));
  opened.push({ page, complaints, expected });
  await page.addInitScript((kept) => {
    globalThis.violations = [];
    const note = (event) => globalThis.violations.push(event.violatedDirective);
    document.addEventListener("securitypolicyviolation", note);
    if (kept) sessionStorage.setItem("brownout-staging-key", kept);
  }, withKey ? key : null);
  await page.goto(server.address);
  if (withKey) await page.waitForSelector("#view:not([hidden])");
  return page;
}

const sentence = async (page) => `${await page.textContent("#headline")}: ${await page.textContent("#sentence")}`;
const row = (page, name) => page.locator(`#dependency-table tbody tr[data-key="${name}"]`);
const cells = async (page, name) => row(page, name).locator("th, td").allTextContents();
const shows = (page, name, kind) =>
  page.waitForSelector(`#dependency-table tr[data-key="${name}"][data-kind="${kind}"]`);

// Everything that the page can show at once: an outage, a hold, slowness, an override with a reason.
async function muchHappens() {
  await server.simulate("database", "down");
  const reason = "The bucket is being moved to another region, and that takes the whole night";
  await server.act("s3", "open", reason, "maria");
  await server.override("cap", "LIMITED", 600, "Migrating the orders table", "maria");
  await eventually("the database is down", async () => (await server.overview()).circuit_breakers[1].state === "open");
}

test("without a key the page asks for it, refuses a wrong one in words, keeps the right one for the tab", async () => {
  const page = await open({ withKey: false, expected: /401/ });
  assert.equal(await page.evaluate(() => document.activeElement.id), "key");
  await page.keyboard.type("not-the-key");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#key-wrong:has-text('does not accept this key')");
  assert.equal(await page.evaluate(() => document.activeElement.id), "key");
  await page.keyboard.type("two words");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#key-wrong:has-text('no blanks')");
  await page.keyboard.type(key);
  await page.keyboard.press("Enter");
  await page.waitForSelector("#view:not([hidden])");
  await page.reload();
  await page.waitForSelector("#view:not([hidden])");
  assert.equal(await page.evaluate(() => localStorage.length), 0);
  await page.click("#forget");
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  assert.equal(await page.title(), "brownout staging");
  assert.ok(await page.isHidden("#view"));
});

test("healthy, the page is one quiet sentence", async () => {
  const page = await open();
  assert.equal(await sentence(page), "OPTIMAL 100: Everything works. 16 of 16 features on.");
  assert.equal(await page.title(), "OPTIMAL 100 – brownout staging");
  assert.equal(await page.locator("#dependency-table [data-kind=up]").count(), 4);
});

test("during an outage every panel says what is down, why and until when; afterwards that it is over", async () => {
  const page = await open();
  const announced = () => page.textContent("#announce");
  assert.equal(await announced(), "");
  await server.simulate("database", "down");
  await shows(page, "database", "down");
  assert.match(await sentence(page), new RegExp("^DEGRADED 70: database down for \\d+ s \\(simulated failure\\), "
    + "next try (now|in \\d s)\\. 6 of 16 features on\\.$"));
  assert.match(await page.title(), /^DEGRADED 70 – database down – brownout staging$/);
  assert.equal(await announced(), "The level changed from OPTIMAL to DEGRADED. Down: database.");

  const [name, state, downFor, nextTry, error, latency, cost] = await cells(page, "database");
  assert.equal(name, "databasesimulated");
  assert.equal(state, "Down");
  assert.match(downFor, /^\d+ s$/);
  assert.match(nextTry, /^(now|in \d s)$/);
  assert.match(error, /^simulated failurea check, (just now|\d+ s ago)$/);
  assert.equal(latency, "–");
  assert.equal(cost, "30 of 30");
  const rows = page.locator("#dependency-table tbody tr");
  const order = await rows.evaluateAll((all) => all.map((one) => one.dataset.key));
  assert.deepEqual(order, ["database", "openai", "redis", "s3"]);

  // The countdown ticks each second, and the length of the outage grows over the tries that fail.
  const seen = new Set();
  const longest = async () => parseInt((await cells(page, "database"))[2], 10);
  const began = await longest();
  await eventually("the outage outlasts a try, and the countdown has ticked", async () => {
    seen.add((await cells(page, "database"))[3]);
    const tries = (await server.overview()).circuit_breakers[1].outages.recent[0].failed_tries;
    return tries > 0 && (await longest()) > began + 4 && seen.size > 3;
  }, 15000);

  assert.match(await page.textContent("#feature-groups"), /Off: a dependency is down6 of 16needs database/);
  assert.match(await page.textContent("#feature-groups"), /Off: not at DEGRADED4 of 16back at OPTIMALReal time/);
  const events = await page.locator("#events li").allTextContents();
  assert.match(events[0], /OPTIMAL to DEGRADEDThe score fell to 70, below 90: lost to database 30\./);
  assert.match(events[1], /database went downSimulated failure\. Tried \d+ times? in vain/);
  const described = await page.getAttribute("#plot svg", "aria-label");
  assert.match(described, /now 70, lowest 70 .* database had 1 outage, the last one still/);
  assert.equal(await page.locator("#plot .outage").count(), 1);

  await server.simulate("database", "up");
  await server.act("database", "close", "it is back", "ada");
  await shows(page, "database", "unproven");
  await eventually("what is not known is not claimed", async () =>
    /: Everything works, going by the checks: no call of database has succeeded since it came back.* 16 of 16/.test(await sentence(page)));
  assert.match(await page.textContent("#events"),
    /database is no longer downIt was down for \d+ s\. Its check passes; no call has succeeded since\./);
  assert.equal((await cells(page, "database"))[1], "Check passes");
  await server.get("/api/inventory/stats");
  await eventually("all is said to work", async () => /Everything works\. 16 of 16/.test(await sentence(page)));
  assert.doesNotMatch(await page.textContent("#events"), /no call has succeeded since/);
  assert.match(await page.textContent("#events"), /database let through by handBy ada: “it is back”\./);
  assert.match((await cells(page, "database"))[4], /^simulated failure, (just now|\d+ s ago)$/);
  assert.match(await announced(), /Nothing is down\.$/);
});

test("what is read out changes when something has happened, and not with each tick", async () => {
  const page = await open();
  await server.simulate("redis", "down");
  await shows(page, "redis", "down");
  await page.evaluate(() => {
    globalThis.spoken = 0;
    const count = new MutationObserver(() => ++globalThis.spoken);
    for (const one of document.querySelectorAll("[role=status], [role=alert]")) {
      count.observe(one, { childList: true, characterData: true, subtree: true, attributes: true });
    }
  });
  await pause(3500);
  assert.equal(await page.evaluate(() => globalThis.spoken), 0);
});

test("with the keyboard alone a circuit is held off, with a reason, and the focus comes back", async () => {
  const page = await open();
  const focused = () => page.evaluate(() => {
    const one = document.activeElement;
    return one === document.body ? "" : one.textContent || one.id;
  });
  const tabTo = async (wanted) => {
    for (let i = 0; i < 30 && !(await focused()).includes(wanted); ++i) await page.keyboard.press("Tab");
    assert.match(await focused(), new RegExp(wanted));
  };
  await tabTo("Control… of s3");
  await page.keyboard.press("Enter");
  await page.waitForSelector("dialog[open]");
  await page.keyboard.press("Escape");
  assert.equal(await page.locator("dialog[open]").count(), 0);
  assert.match(await focused(), /of s3/);

  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "s3: Working; simulated up" });
  await dialog.waitFor();
  assert.match(await dialog.textContent(), /costs the score 5 points\. These features go off: S3 uploads, Image/);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter"); // without a reason nothing is sent
  assert.equal(await page.locator("dialog[open]").count(), 1);
  assert.equal(await focused(), "field-reason");
  await page.keyboard.type("The bucket moves");
  await page.keyboard.press("Tab");
  await page.keyboard.type("maria");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Space"); // yes, now
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  assert.equal(await focused(), "Hold off s3");
  await page.keyboard.press("Enter");
  await page.waitForSelector("dialog", { state: "hidden" });
  assert.match(await focused(), /of s3/);
  await shows(page, "s3", "held");
  assert.match(await sentence(page), /s3 held off by hand for \d+ s \(maria: The bucket moves\)/);
  assert.equal((await cells(page, "s3"))[4], "The bucket movesheld off by maria");
  assert.match(await page.textContent("#events"), /s3 held off by handBy maria: “The bucket moves”\./);
  assert.match(await focused(), /of s3/, "the row has moved, with the focus");
});

test("the level is capped and released, and a refusal of the server is shown in the dialog", async () => {
  const page = await open({ expected: /400/ });
  await page.click("#set-level");
  await page.selectOption("#field-level", "LIMITED");
  await page.fill("#field-reason", "ü".repeat(200)); // fits the field, but 400 bytes are too many for the server
  await page.fill("#field-actor", "maria");
  await page.check("#dialog-sure input");
  await page.click("#dialog-do");
  await page.waitForSelector("#dialog-answer:has-text('1 to 256 bytes')");
  await page.fill("#field-reason", "Migration");
  await page.click("#dialog-do");
  await page.waitForSelector("#override:not([hidden])");
  const told = await page.textContent("#override");
  assert.match(told, /^Capped: no better than LIMITED by maria: “Migration”\. Ends in (15|14) min/);
  assert.match(await page.textContent("#headline"), /LIMITED.*Capped by maria/);
  await page.click("#release");
  await page.fill("#field-reason", "All tables moved");
  assert.equal(await page.inputValue("#field-actor"), "maria", "a name is typed once");
  await page.fill("#field-actor", "ada");
  await page.click("#dialog-do");
  await page.waitForSelector("#override", { state: "hidden" });
  await eventually("the release is told", async () =>
    /The setting by maria \(“Migration”\) ended/.test(await page.textContent("#events")));
  assert.match(await page.textContent("#events"), /Level released by handBy ada: “All tables moved”\./);
});

test("two missed rounds mark everything as out of date, in the title too, and the countdown stands still", async () => {
  const page = await open({ expected: /ERR_FAILED/ });
  await server.simulate("database", "down");
  await shows(page, "database", "down");
  await page.route("**/api/overview", (route) => route.abort());
  assert.ok(await page.isHidden("#stale"), "one missed round is none");
  await page.waitForSelector("#view[data-stale]");
  assert.match(await page.title(), /^STALE \d+ s – DEGRADED 70 – database down$/);
  const alert = page.getByRole("alert").filter({ hasText: "out of date" });
  assert.match(await alert.textContent(), /can’t be reached.*Everything below is as of \d\d:\d\d:\d\d/);
  assert.match(await page.textContent("#fresh"), /^No answer for \d+ s$/);
  const [said, alerted] = [await sentence(page), await alert.textContent()];
  await pause(2500);
  assert.equal(await sentence(page), said);
  assert.equal(await alert.textContent(), alerted);

  // An answer of another shape is no better than none, and the page goes on asking.
  await page.unroute("**/api/overview");
  const body = `{"degradation":7,"circuit_breakers":[{}]}`;
  await page.route("**/api/overview", (route) => route.fulfill({ status: 200, body }));
  await page.waitForSelector(`#stale:has-text("another shape")`, { timeout: 20000 });
  assert.equal(await sentence(page), said);
  await page.unroute("**/api/overview");
  await page.waitForSelector("#view:not([data-stale])", { timeout: 20000 });
  assert.match(await page.title(), /^DEGRADED/);
});

test("a tab that is not seen asks once a minute, and at once when it is seen again", async () => {
  const page = await open();
  let asked = 0;
  page.on("request", (request) => { asked += request.url().endsWith("/api/overview") ? 1 : 0; });
  const setHidden = (hidden) => page.evaluate((value) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => value });
    document.dispatchEvent(new Event("visibilitychange"));
  }, hidden);
  await setHidden(true);
  await eventually("the round that was planned", () => asked === 1);
  await pause(4700);
  assert.equal(asked, 1);
  assert.equal(await page.title(), "OPTIMAL 100 – brownout staging");
  await setHidden(false);
  await eventually("it asks at once", () => asked === 2, 1000);
});

test("whatever the server's texts hold, they are shown as text", async () => {
  await muchHappens();
  const spoil = (value) => {
    if (Array.isArray(value)) return value.map(spoil);
    if (value === null || typeof value !== "object") {
      return typeof value === "string" && !/^\d{4}-\d\d-\d\dT/.test(value) ? hostile : value;
    }
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, spoil(one)]));
  };
  const real = await server.overview();
  const spoilt = spoil(real);
  const { components } = spoilt.degradation;
  components[hostile] = components.database;
  // What the page decides by keeps its meaning, so that all of it is shown.
  spoilt.circuit_breakers.forEach((one, i) => { one.state = real.circuit_breakers[i].state; });
  spoilt.degradation.transitions.forEach((one, i) => { one.cause = real.degradation.transitions[i].cause; });
  spoilt.degradation.circuit_changes.forEach((one, i) => { one.to = real.degradation.circuit_changes[i].to; });
  spoilt.features.features.forEach((one, i) => { one.mode = real.features.features[i].mode; });
  const page = await open();
  await page.route("**/api/overview", (route) => route.fulfill({ status: 200, body: JSON.stringify(spoilt) }));
  await page.waitForSelector(`#headline:has-text("onerror")`);
  for (const id of ["sentence", "dependency-table", "rungs", "override", "outlook", "events", "feature-groups"]) {
    assert.ok((await page.textContent(`#${id}`)).includes("<img"), id);
  }
  assert.equal(await page.locator("main img, main script, dialog img, dialog script").count(), 0);
  await page.locator("#dependency-table button").first().click();
  assert.ok((await page.textContent("#dialog")).includes("<script>"));
  assert.equal(await page.locator("main img, main script, dialog img, dialog script").count(), 0);
});

test("nothing is wider than the window, from a small phone to a wide desk", async () => {
  await muchHappens();
  const page = await open();
  for (const width of widths) {
    await page.setViewportSize({ width, height: 900 });
    const overflow = () => page.evaluate(() => {
      const { clientWidth, scrollWidth } = document.documentElement;
      const seen = [...document.querySelectorAll("main *, header *, footer *")].filter((one) =>
        one.checkVisibility() && !one.closest(".unseen, thead, svg"));
      const wide = seen.filter((one) => one.getBoundingClientRect().right > clientWidth + 1);
      return { by: scrollWidth - clientWidth, wide: wide.map((one) => one.id || one.outerHTML.slice(0, 60)) };
    });
    await eventually(`the chart follows to ${width} px`, async () => (await overflow()).by <= 0);
    assert.deepEqual(await overflow(), { by: 0, wide: [] }, `${width} px`);
    // A rung is one line, also the one that is set in bold.
    const broken = await page.evaluate(() => [...document.querySelectorAll("#rungs li")].flatMap((rung) => {
      rung.setAttribute("aria-current", "true");
      const { right } = rung.getBoundingClientRect();
      const isBroken = (one) => one.getBoundingClientRect().height > 20 || one.getBoundingClientRect().right > right;
      return [...rung.children].filter(isBroken).map((one) => `${rung.dataset.level}: ${one.textContent}`);
    }));
    assert.deepEqual(broken, [], `ladder at ${width} px`);
    await page.locator("#dependency-table button").first().click();
    assert.equal((await overflow()).by, 0, `dialog at ${width} px`);
    const inside = await page.evaluate(() => {
      const { scrollWidth, clientWidth } = document.getElementById("dialog");
      return scrollWidth <= clientWidth;
    });
    assert.ok(inside, `dialog at ${width} px`);
    await page.keyboard.press("Escape");
  }
});

// The contrast of every text that is seen with what is behind it; those below `least`.
function paleTexts(least) {
  const parse = (color) => (color.match(/[\d.]+/g) ?? []).map(Number);
  const linear = (one) => (one / 255 <= 0.04045 ? one / 255 / 12.92 : ((one / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const color = parse(getComputedStyle(one).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const pale = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let seen = 0;
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    const isSeen = element.checkVisibility() && !element.closest(".unseen, .sprite, noscript, option");
    if (!texts.currentNode.textContent.trim() || !isSeen) continue;
    ++seen;
    const style = getComputedStyle(element);
    const ink = element.closest("svg") ? style.fill : style.color;
    const [front, back] = [luminance(parse(ink)), luminance(behind(element))];
    const contrast = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
    if (contrast < least) pale.push(`${texts.currentNode.textContent.trim()}: ${contrast.toFixed(2)}`);
  }
  return { seen, pale };
}

test("every text has a contrast of 4.5 or more, light and dark, at each level, stale and in the dialog", async () => {
  const page = await open({ expected: /ERR_FAILED/ });
  const check = async (what, texts = 40) => {
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      const { seen, pale } = await page.evaluate(paleTexts, 4.5);
      assert.ok(seen >= texts, `${what}: only ${seen} texts`);
      assert.deepEqual(pale, [], `${what}, ${colorScheme}`);
    }
  };
  await muchHappens();
  await shows(page, "database", "down");
  await check("an outage");
  for (const level of ["OPTIMAL", "DEGRADED", "LIMITED", "MINIMAL", "EMERGENCY"]) {
    await page.evaluate((one) => {
      document.body.dataset.level = one;
      for (const rung of document.querySelectorAll("#rungs li")) {
        rung.setAttribute("aria-current", rung.dataset.level === one);
      }
    }, level);
    await check(level);
  }
  await page.locator("#dependency-table button").first().click();
  for (const choice of await page.locator("#dialog-choices input").all()) {
    await choice.check();
    await check("the dialog");
  }
  await page.keyboard.press("Escape");
  await page.route("**/api/overview", (route) => route.abort());
  await page.waitForSelector("#view[data-stale]");
  await check("stale");
  await page.click("#forget");
  await check("the question for the key", 5);
});

test("roles and names are those of a table, a list and headings, also where rows are cards", async () => {
  await muchHappens();
  const page = await open({ width: 390 });
  await shows(page, "database", "down");
  const table = page.getByRole("table", { name: "Dependencies" });
  assert.equal(await table.getByRole("row").count(), 5);
  assert.equal(await table.getByRole("columnheader").count(), 8);
  assert.deepEqual(await table.getByRole("rowheader").allTextContents(),
    ["databasesimulated", "s3simulated", "openaisimulated", "redissimulated"]);
  await page.getByRole("button", { name: "Control… of redis" }).waitFor();
  const current = page.getByRole("list", { name: "Level" }).locator("[aria-current=true]");
  assert.equal(await current.textContent(), "LIMITEDfrom 608 features");
  const headings = await page.getByRole("heading").allTextContents();
  assert.equal(headings[0].trim(), "brownout staging");
  const panels = /^(Dependencies|Level|Score, last|What happened|Features)/;
  assert.equal(headings.filter((one) => panels.test(one)).length, 5);
});
