// Owns: the stack of modal views: drawing the top one, errors under fields, back and close, sending and its waiting.

import { fieldErrors, Surface } from "./surface.js";
import { drawBlocks, showFieldError } from "./blocks.js";
import { openFrame } from "./dialogs.js";
import { el, focusFirst, icon, iconButton } from "./dom.js";
import { closeMenu } from "./menu.js";
import { avatar } from "./message.js";
import { textObject } from "./mrkdwn.js";
import { appById, store } from "./store.js";
import { wire } from "./wire.js";

const FIRST_FIELD = ".dialog-body :is(input:not([type=radio]), input:checked, textarea, button), .dialog-foot button";
const TROUBLE = "We had some trouble connecting. Try again?";

export class ModalStack {
  constructor() {
    this.views = [];
    this.surfaces = new Map();
    this.frame = null;
    this.drawn = null;
  }

  get top() {
    return this.views.at(-1);
  }

  restore(views) {
    this.views = views;
    this.draw();
  }

  opened(view) {
    this.views = [view];
    this.draw();
  }

  pushed(view) {
    if (this.views.some((known) => known.id === view.id)) return this.updated(view);
    this.views.push(view);
    return this.draw();
  }

  updated(view) {
    const at = this.views.findIndex((known) => known.id === view.id);
    if (at < 0) return;
    this.views[at] = view;
    this.draw();
  }

  closed({ view_id: id, view, clear }) {
    const at = this.views.findIndex((known) => known.id === (id ?? view?.id));
    if (clear) this.views = [];
    else if (at >= 0) this.views.splice(at);
    this.draw();
  }

  surface(view) {
    if (!this.surfaces.has(view.id)) this.surfaces.set(view.id, new Surface("modal", { view_id: view.id }, view.state?.values));
    return this.surfaces.get(view.id);
  }

  draw() {
    if (!this.top) return this.takeAway();
    const focused = this.frame && focusPath(this.frame.box);
    const same = this.drawn === this.top.id;
    this.frame ??= openFrame({ title: "", className: "modal", onEscape: () => this.closeTop(), attributes: { "data-modal": "" } });
    this.fill(this.top, same);
    this.drawn = this.top.id;
    return this.refocus(same ? focused : null);
  }

  takeAway() {
    closeMenu();
    this.frame?.remove();
    this.frame = null;
    this.drawn = null;
    this.surfaces.clear();
  }

  fill(view, same) {
    const { box, bar, heading } = this.frame;
    const surface = this.surface(view);
    const scroll = same ? this.body?.scrollTop : 0;
    surface.prune(view.blocks);
    box.dataset.viewId = view.id;
    box.dataset.callbackId = view.callback_id ?? "";
    heading.replaceChildren(...textObject(view.title));
    bar.replaceChildren(...this.barNodes(view, heading));
    this.note = el("div", { class: "modal-note", role: "alert", hidden: true });
    this.body = el("div", { class: "dialog-body", on: { input: (event) => clearError(event.target) } }, this.note, drawBlocks(view.blocks, surface));
    this.form = el("form", { novalidate: true, class: "modal-form", on: { submit: (event) => this.submitted(event) } }, this.body, this.foot(view));
    box.replaceChildren(bar, this.form);
    this.body.scrollTop = scroll ?? 0;
    if (view.error) this.say(view.error);
  }

  barNodes(view, heading) {
    const app = appById(view.app_id);
    const first = this.views.length > 1
      ? iconButton("back", "Back", () => this.closeTop(), { "data-dialog-back": "" })
      : app && avatar(app.bot_user_id, app.name, true, "small");
    return [first, heading, iconButton("close", "Close", () => this.closeAll(), { "data-dialog-close": "" })].filter(Boolean);
  }

  foot(view) {
    const hasSubmit = view.submit || view.blocks.some((block) => block.type === "input");
    const close = el("button", { type: "button", class: "button", "data-dialog-cancel": "", on: { click: () => this.closeTop() } }, textObject(view.close ?? (hasSubmit ? "Cancel" : "Close")));
    this.submit = hasSubmit && el("button", { type: "submit", class: "button primary", "data-dialog-submit": "" }, textObject(view.submit ?? "Submit"));
    return el("footer", { class: "dialog-foot" }, close, this.submit);
  }

  refocus(path) {
    const wanted = this.frame.box.querySelector("[data-focus]") ? "[data-focus]" : FIRST_FIELD;
    focusFirst(this.frame.box, path ?? wanted);
  }

  // -- closing ------------------------------------------------------------------------------------

  /** Back to the view below, or away. */
  async closeTop() {
    const view = this.top;
    this.closed({ view_id: view.id });
    await wire.close({ user: store.me.id, view_id: view.id });
  }

  async closeAll() {
    const view = this.top;
    const all = this.views.length > 1;
    this.closed({ view_id: view.id, clear: true });
    await wire.close({ user: store.me.id, view_id: view.id, all });
  }

  // -- submitting ---------------------------------------------------------------------------------

  async submitted(event) {
    event.preventDefault();
    if (!this.submit || this.submit.getAttribute("aria-busy")) return;
    const view = this.top;
    const surface = this.surface(view);
    const errors = fieldErrors(view.blocks, surface);
    this.showErrors(view, errors);
    if (Object.keys(errors).length) return;
    this.busy(true);
    const answer = await wire.submit({ user: store.me.id, view_id: view.id, values: surface.values });
    if (this.drawn === view.id) this.answered(view, answer);
  }

  answered(view, answer) {
    this.busy(false);
    if (answer.ok) return this.showErrors(view, {});
    if (answer.errors) return this.showErrors(view, answer.errors);
    return this.say(this.top.error ?? TROUBLE);
  }

  busy(yes) {
    if (yes) this.submit.setAttribute("aria-busy", "true");
    else this.submit.removeAttribute("aria-busy");
  }

  say(sentence) {
    this.note.hidden = !sentence;
    this.note.replaceChildren(...(sentence ? [icon("alert"), el("span", {}, sentence)] : []));
    if (sentence) this.note.scrollIntoView({ block: "nearest" });
  }

  showErrors(view, errors) {
    const left = new Map(Object.entries(errors));
    this.say(null);
    for (const node of this.body.querySelectorAll(".block-input")) {
      const sentence = left.get(node.dataset.blockId);
      if (showFieldError(node, sentence)) left.delete(node.dataset.blockId);
    }
    if (left.size) this.say([...left.values()].join(" "));
    this.body.querySelector("[aria-invalid]")?.focus();
  }

  pressFailed(surface) {
    if (this.frame && surface.address.view_id === this.drawn) this.say(this.top.error ?? TROUBLE);
  }
}

function clearError(target) {
  const block = target.closest(".block-input.invalid");
  if (block) showFieldError(block, null);
}

/** A selector that finds the focused field again after the view was drawn anew. */
function focusPath(box) {
  const field = document.activeElement?.closest("[data-action-id]");
  const block = field?.closest("[data-block-id]");
  if (!field || !box.contains(field)) return null;
  return `[data-block-id="${CSS.escape(block.dataset.blockId)}"] [data-action-id="${CSS.escape(field.dataset.actionId)}"]`;
}
