// SPDX-License-Identifier: BSL-1.0
// The controls: one dialog for a circuit and for the level. It says what a choice leads to; a choice that takes
// something away is confirmed as well.
import { byId, el, fill, show, text } from "./dom.js";
import { listed, number, plural, title } from "./format.js";

const REASON = { name: "reason", label: "Reason", longest: 256 };
const ACTOR = { name: "actor", label: "Your name", longest: 64 };
const EXPIRY = {
  name: "expiry", label: "For", options: [[900, "15 minutes"], [3600, "1 hour"], [14400, "4 hours"], [86400, "1 day"]],
};
const ERROR_RATE = {
  name: "error_rate", label: "Share that fails", options: [[0.1, "10 %"], [0.3, "30 %"], [0.5, "50 %"]],
};
const LATENCY = {
  name: "latency_ms", label: "Each call takes", options: [[700, "0.7 s"], [2000, "2 s"], [8000, "8 s"]],
};
const NUMBERS = [EXPIRY.name, ERROR_RATE.name, LATENCY.name];

// What the simulator of a dependency can be told, what it then does, and what has to be said for that.
const MODES = [
  ["up", "answers", []], ["slow", "answers late", [LATENCY]], ["flaky", "fails now and then", [ERROR_RATE]],
  ["down", "fails every call", []],
];

let server = null;
let view = () => null;
let done = () => {};
let chosen = null;
let name = ""; // of the operator: typed once

function simulations(one, lost) {
  return MODES.map(([mode, says, fields]) => ({
    label: `Simulate ${mode}: it ${says}`, verb: `Simulate ${mode}`, path: `/api/simulate/${one.name}`,
    hurts: mode === "down", body: { mode }, fields,
    effect: mode === "down" ? `The simulator fails every call until told otherwise. ${lost}`
      : "Only this server’s simulator changes.",
  }));
}

function circuitChoices(one) {
  const path = `/api/circuit-breakers/${one.name}/`;
  const fields = [REASON, ACTOR];
  const needing = view().features.features.filter((each) => each.mode !== "off" && each.needs.includes(one.name));
  const names = listed(needing.map((each) => title(each.name)));
  const lost = names ? `These features go off: ${names}.` : "No feature that is on needs it.";
  const choices = [];
  if (one.circuit.state !== "closed") {
    choices.push({
      label: "Let calls through again (close)", verb: `Close ${one.name}`, path: `${path}close`, fields,
      effect: one.kind === "down"
        ? "Calls go to it at once, though its last check failed. It opens again after the next failures."
        : "Calls go to it again at once.",
    });
  }
  if (one.kind !== "held") {
    choices.push({
      label: "Hold it off (open)", verb: `Hold off ${one.name}`, path: `${path}open`, hurts: true, fields,
      effect: `Every call to ${one.name} is refused until somebody closes it. It then costs the score `
        + `${number(one.weight * 100)} points. ${lost}`,
    });
  }
  if (one.circuit.state === "closed") {
    choices.push({
      label: "Forget its recent calls (reset)", verb: `Reset ${one.name}`, path: `${path}reset`, fields,
      effect: "Its counts start anew; calls go on.",
    });
  }
  return one.simulated ? [...choices, ...simulations(one, lost)] : choices;
}

function levelChoices() {
  const { levels, level } = view();
  const path = "/api/degradation/override";
  const options = levels.map((one) => [one.level, `${one.level}, ${plural(one.features, "feature")}`]);
  const fields = [EXPIRY, REASON, ACTOR];
  const withLevel = [{ name: "level", label: "Level", options, selected: level }, ...fields];
  return [{
    label: "Cap: no better than …", verb: "Cap the level", path, body: { kind: "cap" }, fields: withLevel,
    hurts: true,
    effect: "Health may still make it worse. Features above the cap are off until it ends.",
  }, {
    label: "Freeze: stay where it is", verb: `Freeze at ${level}`, path, body: { kind: "freeze" }, fields,
    hurts: true,
    effect: "Neither trouble nor recovery moves the level until it ends.",
  }, {
    label: "Pin: exactly …", verb: "Pin the level", path, body: { kind: "pin" }, fields: withLevel, hurts: true,
    effect: "Health no longer counts: pinned too high, calls go on to what is down; too low, features stay off.",
  }];
}

function releaseChoices() {
  const effect = `Health gives ${view().byHealth}: a worse level comes at once, a better one step by step.`;
  return [{
    label: "Let health decide again", verb: "Release", method: "DELETE", path: "/api/degradation/override",
    fields: [REASON, ACTOR], effect,
  }];
}

function fieldOf({ name: called, label, options, selected, longest }) {
  const id = `field-${called}`;
  const control = options
    ? el("select", { id, name: called }, options.map(([value, words]) =>
      el("option", { value, selected: value === selected ? "" : null }, words)))
    : el("input", { id, name: called, required: "", maxlength: longest, autocomplete: "off" });
  if (called === ACTOR.name) control.value = name;
  return el("div", { class: "field" }, el("label", { for: id }, label), control);
}

function choose(choice) {
  chosen = choice;
  const typed = byId("dialog-fields").querySelector("#field-reason")?.value ?? "";
  text(byId("dialog-effect"), choice.effect);
  byId("dialog-fields").replaceChildren(...choice.fields.map(fieldOf));
  const reason = byId("dialog-fields").querySelector("#field-reason");
  if (reason) reason.value = typed; // another choice, and the reason stays
  const [box, sure] = byId("dialog-sure").children;
  show(byId("dialog-sure"), Boolean(choice.hurts));
  box.checked = false;
  box.required = Boolean(choice.hurts);
  text(sure, "Yes, I want this to happen now");
  text(byId("dialog-do"), choice.verb);
  byId("dialog-do").classList.toggle("hurts", Boolean(choice.hurts));
  text(byId("dialog-answer"), "");
}

function open(heading, choices) {
  text(byId("dialog-title"), heading);
  byId("dialog-fields").replaceChildren();
  byId("dialog-choices").replaceChildren(...choices.map((choice, i) => {
    const radio = el("input", { type: "radio", name: "choice" });
    radio.checked = i === 0;
    radio.addEventListener("change", () => choose(choice));
    return el("label", { class: "check" }, radio, el("span", {}, choice.label));
  }));
  choose(choices[0]);
  byId("dialog").showModal();
}

export function openCircuitDialog(called) {
  const one = view().dependencies.find((each) => each.name === called);
  const told = one.simulation ? `; simulated ${one.simulation.mode}` : "";
  open(`${one.name}: ${one.word}${told}`, circuitChoices(one));
}

async function act(event) {
  event.preventDefault();
  const given = Object.fromEntries(new FormData(byId("dialog-form")));
  delete given.choice;
  for (const field of NUMBERS) if (field in given) given[field] = Number(given[field]);
  name = given.actor ?? name;
  byId("dialog-do").disabled = true;
  const problem = await server.act(chosen.method ?? "POST", chosen.path, { ...chosen.body, ...given });
  byId("dialog-do").disabled = false;
  if (problem) return text(byId("dialog-answer"), problem);
  byId("dialog").close();
  done();
}

// `current()`: what is shown. `after()` is called when something was done.
export function watchControls(from, current, after) {
  [server, view, done] = [from, current, after];
  byId("dialog-form").addEventListener("submit", act);
  byId("dialog-cancel").addEventListener("click", () => byId("dialog").close());
  byId("set-level").addEventListener("click", () => open("Set the level", levelChoices()));
  byId("release").addEventListener("click", () => open("Release the level", releaseChoices()));
}
