// SPDX-License-Identifier: BSL-1.0
// The sixth panel: what is on, and what is off because of what.
import { byId, el, fill } from "./dom.js";
import { listed, title } from "./format.js";

// A feature that is off for both reasons counts to the level: the return of the dependency would not bring it back.
function groupOf(one) {
  if (one.mode !== "off") return "on";
  return one.allowed_by_level ? "dependency" : "level";
}

// One line for all that return under the same condition.
function lines(features, note) {
  const notes = [...new Set(features.map(note))];
  const names = (words) => features.filter((one) => note(one) === words).map((one) => title(one.name)).join(", ");
  const line = (words) => el("div", {}, words ? el("dt", {}, words) : null, el("dd", {}, names(words)));
  return el("dl", {}, notes.map(line));
}

export function renderFeatures(view) {
  const { features, total } = view.features;
  const part = (tone, heading, group, note) => {
    const inGroup = features.filter((one) => groupOf(one) === group);
    if (!inGroup.length) return null;
    const count = el("span", {}, `${inGroup.length} of ${total}`);
    return el("section", { "data-tone": tone }, el("h3", {}, heading, count), lines(inGroup, note));
  };
  fill(byId("feature-groups"),
    part("good", "On", "on", (one) => (one.returning ? "coming back" : one.mode === "full" ? "" : one.mode)),
    part("bad", "Off: a dependency is down", "dependency", (one) => `needs ${listed(one.blocked_by)}`),
    part("none", view.assessed ? `Off: not at ${view.level}` : "Off until the first checks are in", "level",
      (one) => `back at ${one.last_level}`));
}
