// SPDX-License-Identifier: BSL-1.0
// The fifth panel: what happened to the level and to the circuits, newest first, each with its reason as a sentence.
import { byId, el, fill, icon, list, show, text } from "./dom.js";
import { ago, capital, clock, listed, number, plural, score, span, when } from "./format.js";

const SHOWN = 6;
let all = false;

function levelReason(change) {
  const lost = change.signals.filter((one) => one.lost_points >= 0.5);
  const costs = listed(lost.map((one) => `${one.dependency} ${number(one.lost_points)}`));
  const because = lost.length ? `: lost to ${costs}` : "";
  switch (change.cause) {
    case "first_assessment": return `The first checks gave a score of ${score(change.score)}.`;
    case "health_fell": return `The score fell to ${score(change.score)}, below ${number(change.threshold)}${because}.`;
    case "health_recovered":
      return `The score held ${number(change.threshold)} or more for ${span(change.held_seconds)}.`;
    case "evidence_lost": return "For too long nothing was known of the score: one step down, to be safe.";
    case "override_set": return change.actor ? `Set by ${change.actor}: “${change.reason}”.` : "Set by hand.";
    case "override_ended": {
      const whose = change.actor ? ` by ${change.actor} (“${change.reason}”)` : " by hand";
      return `The setting${whose} ended; health decides again.`;
    }
    default: return change.explanation;
  }
}

function levelEvents(view) {
  const rank = (level) => view.levels.findIndex((one) => one.level === level);
  return view.transitions.map((change) => {
    const isWorse = rank(change.to) > rank(change.from);
    const byHand = change.cause.startsWith("override");
    const what = change.cause === "first_assessment" ? `Started at ${change.to}` : `${change.from} to ${change.to}`;
    return {
      key: `level ${change.sequence}`, at: change.at, isLevel: true, what, why: levelReason(change),
      icon: byHand ? "hand" : isWorse ? "worse" : "better", tone: isWorse ? "bad" : "good",
    };
  });
}

function wentDown(outages, now) {
  const [first, last] = [outages[0], outages.at(-1)];
  const tries = outages.reduce((sum, o) => sum + o.failed_tries, 0);
  const latest = last.ended === null && last.lastTry ? `, last ${ago(last.lastTry, now)}` : "";
  const tried = tries ? ` Tried ${plural(tries, "time")} in vain${latest}.` : "";
  const other = last.reason === first.reason ? "" : ` (${last.reason})`;
  const again = outages.length > 1
    ? ` It came back and fell again ${plural(outages.length - 1, "time")}, last at ${clock(last.began)}${other}.` : "";
  return `${capital(first.reason || "no reason given")}.${tried}${again}`;
}

function cameBack(one, outages) {
  const long = span(outages.reduce((sum, o) => sum + o.ended - o.began, 0) / 1000);
  const down = outages.length > 1 ? `It was down ${outages.length} times, for ${long} in all.` : `It was down for ${long}.`;
  const isLatest = outages === one.episodes.at(-1);
  const isProven = !isLatest || one.circuit.outages.call_succeeded_since !== false;
  return isProven ? down : `${down} Its check passes; no call has succeeded since.`;
}

// An outage is one entry when it begins and one when it ends, however often the dependency was tried in between, and
// however often it came back for a moment.
function outageEvents(view, now) {
  return view.dependencies.flatMap((one) => one.episodes.flatMap((outages) => {
    const last = outages.at(-1);
    const key = `${one.name} ${outages[0].number}`;
    const events = [{
      key: `${key} down`, at: outages[0].began, icon: "down", tone: "bad", what: `${one.name} went down`,
      why: wentDown(outages, now),
    }];
    if (last.ended !== null) {
      events.push({
        key: `${key} up`, at: last.ended, icon: "up", tone: "good", what: `${one.name} is no longer down`,
        why: cameBack(one, outages),
      });
    }
    return events;
  }));
}

function handEvent(key, name, at, isHeld, by) {
  const [what, tone] = isHeld ? ["held off by hand", "bad"] : ["let through by hand", "good"];
  const otherwise = isHeld ? "Every call to it is refused." : "Calls go to it again.";
  const why = by.actor ? `By ${by.actor}: “${by.reason}”.` : otherwise;
  return { key, at, icon: "hand", tone, what: `${name} ${what}`, why };
}

function handEvents(view) {
  const byHand = view.changes.filter((c) => c.actor || c.to === "forced_open" || c.from === "forced_open");
  const events = byHand.map((c) =>
    handEvent(`change ${c.sequence}`, c.dependency, c.at, c.to === "forced_open", c));
  // The list of changes is short: a hold outlives its place there.
  for (const { name, held } of view.dependencies) {
    const isListed = byHand.some((c) => c.dependency === name && c.to === "forced_open");
    if (held && !isListed) events.push(handEvent(`held ${name}`, name, Date.parse(held.since), true, held));
  }
  return events;
}

function releaseEvents(view) {
  return view.releases.map(({ sequence, at, actor, reason }) => ({
    key: `release ${sequence}`, at, icon: "hand", tone: "good", what: "Level released by hand",
    why: `By ${actor}: “${reason}”.`,
  }));
}

// Of one moment, the outage or the release comes before the level that it moved.
const order = (event) => event.at + (event.isLevel ? 200 : 0);

function makeItem(event) {
  const told = el("div", {}, el("b", {}, event.what), el("p"));
  return el("li", { "data-tone": event.tone }, icon(event.icon), told, el("p", { class: "at" }));
}

export function renderTimeline(view, now) {
  const events = [...levelEvents(view), ...outageEvents(view, now), ...handEvents(view), ...releaseEvents(view)];
  events.sort((a, b) => order(b) - order(a));
  list(byId("events"), all ? events : events.slice(0, SHOWN), (event) => event.key, makeItem, (item, event) => {
    text(item.querySelector("div p"), event.why);
    fill(item.lastChild, when(event.at, now, clock(event.at)), el("small", {}, ago(event.at, now)));
  });
  show(byId("no-events"), events.length === 0);
  show(byId("more"), events.length > SHOWN);
  text(byId("more"), all ? "Show fewer" : `Show all ${events.length}`);
  byId("more").setAttribute("aria-expanded", String(all));
}

export function watchTimeline(renderAgain) {
  byId("more").addEventListener("click", () => {
    all = !all;
    renderAgain();
  });
}
