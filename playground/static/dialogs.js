// Owns: confirmation dialogs (the page's own job in Slack) and the frame every dialog shares:
// backdrop, focus trap, Escape, focus given back to what had it.

import { el, focusFirst, freshId, iconButton, trapFocus } from "./dom.js";
import { textObject } from "./mrkdwn.js";

/** A dialog frame in the page; returns its parts and `remove`. */
export function openFrame({ role = "dialog", title, className = "", onEscape, attributes = {} }) {
  const before = document.activeElement;
  const titleId = freshId("dialog-title");
  const heading = el("h2", { id: titleId }, title);
  const bar = el("header", { class: "dialog-bar" }, heading, iconButton("close", "Close", onEscape, { "data-dialog-close": "" }));
  const box = el("div", { class: `dialog ${className}`, role, "aria-modal": "true", "aria-labelledby": titleId, tabindex: "-1", ...attributes }, bar);
  const backdrop = el("div", { class: "backdrop" }, box);
  backdrop.addEventListener("keydown", (event) => escape(event, onEscape));
  trapFocus(box);
  document.body.append(backdrop);
  const remove = () => {
    backdrop.remove();
    if (before?.isConnected) before.focus();
  };
  return { box, bar, heading, remove };
}

function escape(event, onEscape) {
  if (event.key !== "Escape" || event.isComposing) return;
  event.stopPropagation();
  onEscape();
}

/** Ask before acting; true at once when there is no confirm object. */
export function confirmed(confirm) {
  if (!confirm) return Promise.resolve(true);
  return new Promise((resolve) => {
    const finish = (answer) => {
      frame.remove();
      resolve(answer);
    };
    const frame = openFrame({ role: "alertdialog", className: "confirm", title: textObject(confirm.title), onEscape: () => finish(false) });
    frame.box.append(
      el("div", { class: "dialog-body" }, textObject(confirm.text)),
      el("footer", { class: "dialog-foot" },
        el("button", { type: "button", class: "button", "data-confirm": "deny", on: { click: () => finish(false) } }, textObject(confirm.deny ?? "Cancel")),
        el("button", { type: "button", class: `button ${confirm.style ?? "primary"}`, "data-confirm": "yes", on: { click: () => finish(true) } }, textObject(confirm.confirm ?? "Yes"))),
    );
    focusFirst(frame.box, "[data-confirm=yes]");
  });
}
