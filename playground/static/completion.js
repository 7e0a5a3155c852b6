// Owns: what the message box offers while one types: slash commands, @people, #channels, and the hint of a command.
// It draws the list above the box and says which text a choice would put in; the box itself belongs to composer.js.

import { el } from "./dom.js";
import { people, store } from "./store.js";

const MOST = 8;

/** What fits the text up to the cursor: {entries, from, choosing}; `from` is where the chosen text goes in. */
function offers(text, commandsToo) {
  const writing = commandsToo && /^\/\S*$/.exec(text);
  if (writing) return { entries: commands().filter((entry) => entry.name.startsWith(text)), from: 0, choosing: true };
  const mark = /(?:^|\s)([@#])([\p{L}\p{N}._-]*)$/u.exec(text);
  if (mark) return { entries: named(mark[1], mark[2]), from: text.length - mark[2].length - 1, choosing: true };
  const command = commandsToo && /^\/\S+(?=\s)/.exec(text)?.[0];
  return { entries: command ? commands().filter((entry) => entry.name === command) : [], from: 0, choosing: false };
}

function commands() {
  const all = store.apps.flatMap((app) => (app.commands ?? []).map((command) => ({
    name: command.command, usage: command.usage_hint, about: command.description, side: app.name, command: command.command,
  })));
  return all.sort((a, b) => a.name.localeCompare(b.name));
}

function named(mark, typed) {
  const wanted = typed.toLocaleLowerCase();
  const all = mark === "@" ? mentionable() : rooms();
  return all.filter((entry) => `${entry.name.slice(1)} ${entry.about ?? ""}`.toLocaleLowerCase().split(/\s+/).some((word) => word.startsWith(wanted))).slice(0, MOST);
}

function mentionable() {
  const bots = store.apps.map((app) => ({ name: `@${store.users.get(app.bot_user_id)?.name ?? app.name}`, about: app.name, side: "App" }));
  return [...people().map((user) => ({ name: `@${user.name}`, about: user.real_name })), ...bots];
}

function rooms() {
  return [...store.channels.values()].filter((channel) => channel.kind !== "im").map((channel) => ({ name: `#${channel.name}` }));
}

export class Completion {
  /** `take(text, from)` puts the chosen text in place of what stands from `from` to the cursor. */
  constructor(id, take) {
    this.take = take;
    this.node = el("div", { class: "completion", role: "listbox", "aria-label": "Suggestions", id, hidden: true });
    this.hide();
  }

  get open() {
    return !this.node.hidden && this.choosing;
  }

  show(text, commandsToo) {
    Object.assign(this, offers(text, commandsToo), { active: 0, typed: text });
    this.draw();
  }

  hide() {
    Object.assign(this, { entries: [], from: 0, choosing: false, active: 0, typed: "" });
    this.node.hidden = true;
  }

  draw() {
    this.node.replaceChildren(...this.entries.map((entry, index) => this.line(entry, index)));
    this.node.hidden = !this.entries.length;
    this.node.classList.toggle("hint", !this.choosing);
    this.node.querySelector(".active")?.scrollIntoView({ block: "nearest" });
  }

  line(entry, index) {
    const active = this.choosing && index === this.active;
    const pick = (event) => {
      event.preventDefault();
      if (this.choosing) this.accept(entry);
    };
    return el("div", {
      role: "option", class: `offer${active ? " active" : ""}`, "aria-selected": String(active), "data-command": entry.command, "data-offer": entry.name, on: { pointerdown: pick },
    },
      el("span", { class: "offer-name" }, entry.name), el("span", { class: "offer-usage" }, entry.usage ?? ""),
      el("span", { class: "offer-side" }, entry.side ?? ""), entry.about && el("span", { class: "offer-about" }, entry.about));
  }

  accept(entry) {
    this.take(`${entry.name} `, this.from);
  }

  step(by) {
    this.active = (this.active + by + this.entries.length) % this.entries.length;
    this.draw();
  }

  /** What a key does to the open list, or null when it is not the list's business. */
  action(event) {
    if (!this.open) return null;
    const chosen = this.entries[this.active];
    const finished = this.typed.slice(this.from) === chosen.name;
    if (event.key === "Enter" && (finished || event.shiftKey)) return null;
    return { ArrowDown: () => this.step(1), ArrowUp: () => this.step(-1), Tab: () => this.accept(chosen), Enter: () => this.accept(chosen), Escape: () => this.hide() }[event.key] ?? null;
  }
}
