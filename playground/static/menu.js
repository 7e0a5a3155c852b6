// Owns: the list that drops from a select, an overflow button or the composer's switcher: search, groups,
// keyboard, several choices, placing on the screen. It knows nothing of Slack's elements.

import { el, freshId } from "./dom.js";

const GAP = 4;
let opened = null;

/**
 * Open a menu under `anchor`.
 * `search(query)` gives (a promise of) {groups: [{label, options: [{key, text, description, raw}]}], note?}.
 * `onPick(option)` is called per choice; single menus close, menus with `several` stay and mark `isChosen(key)`.
 */
export function openMenu(spec) {
  closeMenu();
  opened = new Menu(spec);
  return opened;
}

export function closeMenu() {
  opened?.close();
}

class Menu {
  constructor(spec) {
    this.spec = spec;
    this.active = -1;
    this.asked = 0;
    this.role = spec.role === "menu" ? ["menu", "menuitem"] : ["listbox", "option"];
    this.draw();
    this.place();
    this.listen();
    this.refresh();
    (this.field ?? this.list).focus({ preventScroll: true });
  }

  draw() {
    const listId = freshId("menu");
    this.list = el("div", { class: "menu-list", role: this.role[0], id: listId, tabindex: this.spec.searchable ? null : "0", "aria-label": this.spec.label, "aria-multiselectable": this.spec.several ? "true" : null });
    this.field = this.spec.searchable && el("input", {
      class: "menu-search", type: "text", role: "combobox", "aria-expanded": "true", "aria-controls": listId, "aria-autocomplete": "list",
      "aria-label": `Search ${this.spec.label}`, placeholder: "Search", autocomplete: "off", on: { input: () => this.refresh() },
    });
    this.box = el("div", { class: "menu" }, this.field, this.list);
    (this.spec.anchor.closest("[aria-modal]") ?? document.body).append(this.box);
    this.spec.anchor.setAttribute("aria-expanded", "true");
  }

  listen() {
    this.box.addEventListener("keydown", (event) => this.key(event));
    this.list.addEventListener("mousedown", (event) => event.preventDefault()); // a click must not take the focus from the search
    this.outside = (event) => this.box.contains(event.target) || this.spec.anchor.contains(event.target) || this.close(false);
    this.moved = (event) => this.box.contains(event.target) || this.place();
    document.addEventListener("pointerdown", this.outside, true);
    window.addEventListener("resize", this.moved);
    document.addEventListener("scroll", this.moved, true);
  }

  place() {
    if (!this.spec.anchor.isConnected) return this.close(false);
    const anchor = this.spec.anchor.getBoundingClientRect();
    const style = this.box.style;
    style.minWidth = `${Math.max(anchor.width, 200)}px`;
    const width = this.box.offsetWidth;
    const below = innerHeight - anchor.bottom - 2 * GAP;
    const above = anchor.top - 2 * GAP;
    const upwards = below < 220 && above > below;
    style.maxHeight = `${Math.min(340, upwards ? above : below)}px`;
    style.left = `${Math.max(GAP, Math.min(anchor.left, innerWidth - width - GAP))}px`;
    style.top = upwards ? "auto" : `${anchor.bottom + GAP}px`;
    style.bottom = upwards ? `${innerHeight - anchor.top + GAP}px` : "auto";
    return undefined;
  }

  async refresh() {
    const ticket = (this.asked += 1);
    const pending = this.spec.search(this.field?.value ?? "");
    if (pending instanceof Promise) this.list.setAttribute("aria-busy", "true");
    const { groups, note } = await pending;
    if (ticket !== this.asked) return;
    this.list.removeAttribute("aria-busy");
    this.fill(groups, note);
    this.place();
  }

  fill(groups, note) {
    this.options = [];
    const drawn = groups.filter((group) => group.options.length).map((group) => this.group(group));
    this.list.replaceChildren(...(drawn.length ? drawn : [el("div", { class: "menu-note" }, note ?? "No results")]));
    this.move(this.options.findIndex(({ option }) => this.spec.isChosen?.(option.key)), false);
    if (this.active < 0) this.move(0, false);
  }

  group({ label, options }) {
    const id = freshId("group");
    const items = options.map((option) => this.item(option));
    if (!label) return el("div", { role: "presentation" }, items);
    return el("div", { role: "group", "aria-labelledby": id }, el("div", { class: "menu-label", id }, label), items);
  }

  item(option) {
    const chosen = Boolean(this.spec.isChosen?.(option.key));
    const node = el("div", {
      class: "menu-item", role: this.role[1], id: freshId("item"), "data-value": option.key, "aria-selected": this.role[1] === "option" ? String(chosen) : null,
      on: { click: () => this.pick(option, node), pointermove: () => this.move(this.options.findIndex((entry) => entry.node === node), false) },
    }, el("span", { class: "menu-text" }, option.text), option.description && el("span", { class: "menu-description" }, option.description));
    this.options.push({ option, node });
    return node;
  }

  move(index, scroll = true) {
    this.options[this.active]?.node.classList.remove("active");
    this.active = this.options.length ? Math.max(-1, Math.min(index, this.options.length - 1)) : -1;
    const node = this.options[this.active]?.node;
    node?.classList.add("active");
    (this.field || this.list).setAttribute("aria-activedescendant", node?.id ?? "");
    if (scroll) node?.scrollIntoView({ block: "nearest" });
  }

  key(event) {
    if (event.isComposing) return;
    const act = { ArrowDown: () => this.move(this.active + 1), ArrowUp: () => this.move(Math.max(0, this.active - 1)), Enter: () => this.pickActive(), Escape: () => this.close(), Tab: () => this.close() }[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }

  pickActive() {
    const entry = this.options[this.active];
    if (entry) this.pick(entry.option, entry.node);
  }

  pick(option, node) {
    this.spec.onPick(option);
    if (!this.spec.several) return this.close();
    node.setAttribute("aria-selected", String(Boolean(this.spec.isChosen(option.key))));
    return this.place();
  }

  close(refocus = true) {
    if (opened === this) opened = null;
    this.asked += 1;
    document.removeEventListener("pointerdown", this.outside, true);
    document.removeEventListener("scroll", this.moved, true);
    window.removeEventListener("resize", this.moved);
    this.box.remove();
    this.spec.anchor.setAttribute("aria-expanded", "false");
    if (refocus && this.spec.anchor.isConnected) this.spec.anchor.focus();
    this.spec.onClose?.();
  }
}
