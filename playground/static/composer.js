// Owns: the message box: Enter to send, slash commands, what was typed before, what cannot be sent.

import { Completion } from "./completion.js";
import { el, icon } from "./dom.js";
import { emit, store } from "./store.js";
import { wire } from "./wire.js";

const REMEMBERED = 50;
const BOX_LINES_PX = 180;

/** A composer for the open channel, or for a thread when `threadOf()` gives its ts. */
export class Composer {
  constructor(node, { threadOf = () => null, label }) {
    this.threadOf = threadOf;
    this.completion = new Completion(`${node.id}-offers`, (text, from) => this.insert(text, from));
    this.box = el("textarea", {
      rows: "1", "aria-label": label, autocomplete: "off", "aria-controls": this.completion.node.id,
      on: { input: () => this.typed(), keydown: (event) => this.key(event), blur: () => this.completion.hide() },
    });
    this.button = el("button", { type: "submit", class: "send", "aria-label": "Send", disabled: true }, icon("send"));
    node.replaceChildren(this.completion.node, el("div", { class: "composer-row" }, this.box, this.button));
    node.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
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

  write(text, cursor = text.length) {
    this.box.value = text;
    this.box.setSelectionRange(cursor, cursor);
    this.completion.hide();
    this.resize();
  }

  insert(text, from) {
    const rest = this.box.value.slice(this.box.selectionStart);
    this.write(this.box.value.slice(0, from) + text + rest, from + text.length);
    this.typed();
  }

  typed() {
    this.back = -1;
    this.resize();
    this.completion.show(this.box.value.slice(0, this.box.selectionStart), !this.threadOf());
  }

  resize() {
    this.button.disabled = !this.box.value.trim();
    this.box.style.height = "auto";
    this.box.style.height = `${Math.min(this.box.scrollHeight, BOX_LINES_PX)}px`;
  }

  // -- keyboard -----------------------------------------------------------------------------------

  key(event) {
    if (event.isComposing) return;
    const act = this.completion.action(event) ?? this.plainKey(event);
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
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
  }

  // -- sending ------------------------------------------------------------------------------------

  async send() {
    const text = this.box.value.trim();
    const channel = store.place.id ?? store.place.peer;
    if (!text || !channel || store.place.kind === "home") return;
    remember(text);
    this.clear();
    this.back = -1;
    const answer = isCommand(text) ? await this.command(channel, text) : await this.say(channel, text);
    if (answer.error === "unreachable") this.lost(text);
  }

  lost(text) {
    if (!this.box.value) this.write(text);
    emit("trouble", "The local Slack does not answer. Is it still running?");
  }

  async command(channel, text) {
    const name = /^\/\S*/.exec(text)[0];
    if (this.threadOf()) return this.notice(channel, `${name} is not supported in threads. Sorry!`);
    if (!isKnown(name)) {
      return this.notice(channel, `${name} is not a valid command. In Slack, all messages that start with the "/" character are interpreted as commands.`);
    }
    const answer = await wire.command({ user: store.me.id, channel, text });
    if (isSentence(answer.error)) this.notice(channel, answer.error);
    return answer;
  }

  async say(channel, text) {
    const answer = await wire.say({ user: store.me.id, channel, text: encoded(text), thread_ts: this.threadOf() ?? undefined });
    if (!answer.ok && answer.error !== "unreachable") emit("trouble", `The message was not sent: ${answer.error}.`);
    if (answer.ok && channel === store.place.peer) emit("opened", answer.channel);
    return answer;
  }

  notice(channel, text) {
    emit("notice", { channel, text, thread_ts: this.threadOf() ?? undefined });
    return { ok: true };
  }
}

function isKnown(command) {
  return store.apps.some((app) => app.commands?.some((known) => known.command === command));
}

/** Codes such as operation_timeout are told by the server's own notice; sentences are for the person who acts. */
function isSentence(error) {
  return error?.includes(" ");
}

function isCommand(text) {
  return /^\/[^\s/]+(\s|$)/.test(text);
}

/** What a person types, as Slack stores it: escaped, with @handle and #channel turned into mentions. */
function encoded(text) {
  const handles = new Map([...store.users.values()].map((user) => [user.name, user.id]));
  const rooms = new Map([...store.channels.values()].filter((channel) => channel.kind !== "im").map((channel) => [channel.name, channel.id]));
  return text
    .replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;")
    .replace(/(^|\s)@(here|channel|everyone)\b/g, "$1<!$2>")
    .replace(/(^|\s)@([\p{L}\p{N}._-]*[\p{L}\p{N}_-])/gu, (whole, space, name) => (handles.has(name) ? `${space}<@${handles.get(name)}>` : whole))
    .replace(/(^|\s)#([\p{L}\p{N}_-]+)/gu, (whole, space, name) => (rooms.has(name) ? `${space}<#${rooms.get(name)}>` : whole));
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
