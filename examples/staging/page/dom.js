// SPDX-License-Identifier: BSL-1.0
// The only module that makes elements. Text reaches the page through textContent and append, never as markup.

export const byId = (id) => document.getElementById(id);

// Attributes that are null and children that are null or empty are left out.
export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null) made.setAttribute(name, value);
  made.append(...children.flat().filter((child) => child !== null && child !== ""));
  return made;
}

export function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

export function icon(name) {
  return svg("svg", { class: "icon", "aria-hidden": "true" }, svg("use", { href: `#i-${name}` }));
}

// Only what differs is written: a node that is not touched keeps its selection and its focus, and is not read out.
export function text(node, value) {
  if (node.textContent !== value) node.textContent = value;
}

export function fill(node, ...children) {
  const made = [...el("div", {}, ...children).childNodes];
  const old = node.childNodes;
  if (made.length !== old.length || !made.every((child, i) => child.isEqualNode(old[i]))) node.replaceChildren(...made);
}

export function show(node, shown) {
  if (node.hidden === shown) node.hidden = !shown;
}

// One child for each entry, in the order of the list. A child is kept from round to round by its key.
export function list(parent, entries, key, make, update) {
  const focused = parent.contains(document.activeElement) ? document.activeElement : null;
  const old = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  entries.forEach((entry, i) => {
    const name = String(key(entry));
    const child = old.get(name) ?? make(entry);
    child.dataset.key = name;
    old.delete(name);
    if (parent.children[i] !== child) parent.insertBefore(child, parent.children[i] ?? null);
    update(child, entry);
  });
  for (const gone of old.values()) gone.remove();
  if (focused?.isConnected && focused !== document.activeElement) focused.focus({ preventScroll: true });
}
