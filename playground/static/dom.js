// Owns: making DOM nodes, safe links, icons, keyed updates and focus traps.
// Text only ever enters the page as text nodes or attributes; there is no HTML string anywhere in these files.

const SVG = "http://www.w3.org/2000/svg";
const SCHEMES = new Set(["http:", "https:", "mailto:", "tel:", "slack:"]);
const LOCAL_HOSTS = new Set(["127.0.0.1", "localhost", "[::1]"]);
const FOCUSABLE = "a[href],button:not([disabled]),input:not([disabled]),select:not([disabled]),textarea:not([disabled]),[tabindex='0']";

const ICONS = {
  hash: "M7 3 5.5 17M14.5 3 13 17M3.5 7.5h13.5M3 12.5h13.5",
  lock: "M5.5 9h9v7.5h-9zM7.3 9V6.5a2.7 2.7 0 0 1 5.4 0V9",
  thread: "M3.5 4.5h13v9h-7l-3.5 3v-3h-2.5z",
  close: "M5 5l10 10M15 5 5 15",
  back: "M12.5 4 6.5 10l6 6",
  menu: "M3.5 5.5h13M3.5 10h13M3.5 14.5h13",
  caret: "M5.5 8l4.5 4.5L14.5 8",
  dots: "M4.5 10h.01M10 10h.01M15.5 10h.01",
  send: "M3.5 3.5 17 10 3.5 16.5 6 10zM6 10h5",
  eye: "M2.5 10s2.7-4.8 7.5-4.8 7.5 4.8 7.5 4.8-2.7 4.8-7.5 4.8S2.5 10 2.5 10zM10 8a2 2 0 1 0 0 4 2 2 0 0 0 0-4",
  alert: "M10 3.5 17.5 16.5h-15zM10 8.5v3.6M10 14.2h.01",
  info: "M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14M10 9.2v4M10 6.6h.01",
  check: "M4 10.5 8 14.5 16 6",
};

/** Make an element; `on` maps event names to handlers, every other property is an attribute. */
export function el(tag, props, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) setProperty(node, name, value);
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

function setProperty(node, name, value) {
  if (value === undefined || value === null || value === false) return;
  if (name !== "on") return node.setAttribute(name, value === true ? "" : String(value));
  for (const [event, handler] of Object.entries(value)) node.addEventListener(event, handler);
}

/** The address when it is one a click may follow, otherwise null (javascript:, data: and nonsense). */
export function safeUrl(address) {
  try {
    const url = new URL(address);
    return SCHEMES.has(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

export function link(address, ...children) {
  const href = safeUrl(address);
  if (!href) return el("span", {}, ...children);
  return el("a", { href, target: "_blank", rel: "noopener noreferrer" }, ...children);
}

/** A picture from this machine, or a frame with its alternative text: the page asks nobody outside. */
export function picture(address, alt, className) {
  const url = localUrl(address);
  if (url) return el("img", { src: url, alt, class: className, loading: "lazy" });
  const frame = el("span", { class: `${className} picture-frame`, role: "img", "aria-label": alt, title: alt }, alt);
  return safeUrl(address) ? link(address, frame) : frame;
}

function localUrl(address) {
  try {
    const url = new URL(address, document.baseURI);
    if (url.protocol === "data:") return url.href.startsWith("data:image/") ? url.href : null;
    return LOCAL_HOSTS.has(url.hostname) && url.protocol.startsWith("http") ? url.href : null;
  } catch {
    return null;
  }
}

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

export function iconButton(name, label, onClick, props = {}) {
  return el("button", { type: "button", class: "icon-button", "aria-label": label, title: label, on: onClick ? { click: onClick } : null, ...props }, icon(name));
}

/** Make `parent` hold exactly `nodes` in order without touching nodes that stay (focus and typing survive). */
export function reconcile(parent, nodes) {
  const kept = new Set(nodes);
  for (const child of [...parent.childNodes]) if (!kept.has(child)) child.remove();
  let at = parent.firstChild;
  for (const node of nodes) {
    if (node === at) at = at.nextSibling;
    else parent.insertBefore(node, at);
  }
}

function focusables(node) {
  return [...node.querySelectorAll(FOCUSABLE)].filter((item) => item.offsetParent !== null);
}

export function focusFirst(node, selector) {
  const wanted = selector ? node.querySelector(selector) : null;
  (wanted ?? focusables(node)[0] ?? node).focus();
}

/** Keep Tab inside `node`. */
export function trapFocus(node) {
  node.addEventListener("keydown", (event) => {
    if (event.key !== "Tab") return;
    const items = focusables(node);
    const edge = event.shiftKey ? items[0] : items.at(-1);
    if (document.activeElement !== edge && node.contains(document.activeElement)) return;
    event.preventDefault();
    (event.shiftKey ? items.at(-1) : items[0])?.focus();
  });
}

let counter = 0;
export function freshId(prefix) {
  counter += 1;
  return `${prefix}-${counter}`;
}
