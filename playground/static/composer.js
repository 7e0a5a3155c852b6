// Owns: the message box: Enter to send, slash commands with completion, what was typed before, what cannot be sent.

import { el, icon } from "./dom.js";
import { emit, people, store } from "./store.js";
import { wire } from "./wire.js";

const REMEMBERED = 50;
const BOX_LINES_PX = 180;

/** A composer for the open channel, or for a thread when `threadOf()` gives its ts. */
export class Composer {
  constructor(node, { threadOf = () => null, label }) {
    this.threadOf = threadOf;
    this.list = el("div", { class: "completion", role: "listbox", "aria-label": "Commands", id: `${node.id}-commands`, hidden: true });
    this.box = el("textarea", {
      rows: "1", "aria-label": label, autocomplete: "off", "aria-controls": this.list.id, "data-composer": threadOf === undefined ? "" : label,
      on: { input: () => this.typed(), keydown: (event) => this.key(event), blur: () => this.hideSoon(), focus: () => this.complete() },
    });
    this.button = el("button", { type: "submit", class: "send", "aria-label": "Send", disabled: true }, icon("send"));
    node.replaceChildren(this.list, el("div", { class: "composer-row" }, this.box, this.button));
    node.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
    this.matches = [];
    this.active = 0;
    this.back = -1; // how far back in the history; -1 is the line being typed
  }

  set placeholder(text) {
    this.box.placeholder = text;
  }

  clear() {
    this.write("");
  }

  focus() {
    this.box.focus();
  }

  write(text) {
    this.box.value = text;
    this.box.setSelectionRange(text.length, text.length);
    this.resize();
  }

  typed() {
    this.back = -1;
    this.resize();
  }

  resize() {
    this.button.disabled = !this.box.value.trim();
    this.box.style.height = "auto";
    this.box.style.height = `${Math.min(this.box.scrollHeight, BOX_LINES_PX)}px`;
    this.complete();
  }

  // -- completion ---------------------------------------------------------------------------------

  complete() {
    const text = this.box.value;
    const name = /^\/\S*/.exec(text)?.[0];
    const writing = name !== undefined && text.length === name.length;
    const commands = name === undefined || this.threadOf() ? [] : allCommands();
    this.matches = commands.filter(({ command }) => (writing ? command.startsWith(name) : command === name));
    this.writing = writing;
    this.active = 0;
    this.drawList();
  }

  drawList() {
    this.list.replaceChildren(...this.matches.map((entry, index) => this.line(entry, index)));
    this.list.hidden = !this.matches.length || document.activeElement !== this.box;
    this.list.classList.toggle("hint", !this.writing);
  }

  line(entry, index) {
    const active = this.writing && index === this.active;
    return el("div", {
      role: "option", class: `command-line${active ? " active" : ""}`, "aria-selected": String(active), "data-command": entry.command,
      on: { pointerdown: (event) => { event.preventDefault(); this.take(entry); } },
    },
      el("span", { class: "command-name" }, entry.command), entry.usage_hint && el("span", { class: "command-usage" }, entry.usage_hint),
      el("span", { class: "command-about" }, entry.description ?? ""), el("span", { class: "command-app" }, entry.app_name));
  }

  take(entry) {
    this.write(`${entry.command} `);
  }

  hideSoon() {
    this.list.hidden = true;
  }

  // -- keyboard -----------------------------------------------------------------------------------

  key(event) {
    if (event.isComposing) return;
    const choosing = this.writing && this.matches.length > 0 && !this.list.hidden;
    const act = (choosing && this.choosingKey(event)) || this.plainKey(event);
    if (!act) return;
    event.preventDefault();
    act();
  }

  choosingKey(event) {
    const step = (by) => () => {
      this.active = (this.active + by + this.matches.length) % this.matches.length;
      this.drawList();
    };
    const chosen = this.matches[this.active];
    const finished = this.box.value === chosen.command;
    const keys = { ArrowDown: step(1), ArrowUp: step(-1), Tab: () => this.take(chosen), Escape: () => this.hideSoon() };
    if (event.key === "Enter" && !event.shiftKey && !finished) return () => this.take(chosen);
    return keys[event.key];
  }

  plainKey(event) {
    const oneLine = !this.box.value.includes("\n");
    if (event.key === "Enter" && !event.shiftKey) return () => this.send();
    if (event.key === "ArrowUp" && oneLine && (this.back >= 0 || !this.box.value)) return () => this.remembered(1);
    if (event.key === "ArrowDown" && oneLine && this.back >= 0) return () => this.remembered(-1);
    return null;
  }

  remembered(step) {
    const lines = history();
    const back = Math.max(-1, Math.min(this.back + step, lines.length - 1));
    this.write(back < 0 ? "" : lines[back]);
    this.back = back;
    this.hideSoon();
  }

  // -- sending ------------------------------------------------------------------------------------

  async send() {
    const text = this.box.value.trim();
    const channel = store.place.kind === "home" ? null : store.place.id;
    if (!text || !channel) return;
    remember(text);
    this.clear();
    this.back = -1;
    const said = isCommand(text) ? await this.command(channel, text) : await this.say(channel, text);
    if (said.error === "unreachable") this.write(text);
  }

  async command(channel, text) {
    const name = /^\/\S*/.exec(text)[0];
    if (this.threadOf()) return notice(channel, `${name} is not supported in threads. Sorry!`, this.threadOf());
    const answer = await wire.command({ user: store.me.id, channel, text });
    if (answer.error === "unknown_command") {
      notice(channel, `${name} is not a valid command. In Slack, all messages that start with the "/" character are interpreted as commands.`);
    } else if (!answer.ok && answer.error === "unreachable") emit("trouble", "The local Slack does not answer. Is it still running?");
    return answer;
  }

  async say(channel, text) {
    const answer = await wire.say({ user: store.me.id, channel, text: encoded(text), thread_ts: this.threadOf() ?? undefined });
    if (!answer.ok) emit("trouble", `The message was not sent: ${answer.error}.`);
    return answer;
  }
}

function notice(channel, text, thread_ts) {
  emit("notice", { channel, text, thread_ts });
  return { ok: true };
}

function isCommand(text) {
  return /^\/[^\s/]+(\s|$)/.test(text);
}

function allCommands() {
  return store.apps.flatMap((app) => (app.commands ?? []).map((command) => ({ ...command, app_name: app.app_name })))
    .sort((a, b) => a.command.localeCompare(b.command));
}

/** What a person types, as Slack stores it: escaped, with @handle and #channel turned into mentions. */
function encoded(text) {
  const escaped = text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const named = new Map([...people(), ...[...store.users.values()]].map((user) => [user.name, user.id]));
  const bots = new Map(store.apps.map((app) => [app.app_name.toLowerCase(), app.bot_user_id]));
  const rooms = new Map([...store.channels.values()].filter((channel) => channel.kind !== "im").map((channel) => [channel.name, channel.id]));
  return escaped
    .replace(/(^|\s)@(here|channel|everyone)\b/g, "$1<!$2>")
    .replace(/(^|\s)@([\p{L}\p{N}._-]*[\p{L}\p{N}_-])/gu, (whole, space, name) => mention(whole, space, named.get(name) ?? bots.get(name.toLowerCase())))
    .replace(/(^|\s)#([\p{L}\p{N}_-]+)/gu, (whole, space, name) => (rooms.has(name) ? `${space}<#${rooms.get(name)}>` : whole));
}

function mention(whole, space, id) {
  return id ? `${space}<@${id}>` : whole;
}

function historyKey() {
  return `playground.history.${store.me.id}`;
}

/** Lines sent before, latest first. */
function history() {
  try {
    return JSON.parse(localStorage.getItem(historyKey())) ?? [];
  } catch {
    return [];
  }
}

function remember(text) {
  const lines = [text, ...history().filter((line) => line !== text)].slice(0, REMEMBERED);
  localStorage.setItem(historyKey(), JSON.stringify(lines));
}
