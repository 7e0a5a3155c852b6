// Owns: the five kinds of select menus, each with one or several choices, and what their state looks like.

import { confirmed } from "./dialogs.js";
import { el, icon } from "./dom.js";
import { openMenu } from "./menu.js";
import { textObject } from "./mrkdwn.js";
import { channelTitle, isBotUser, people, store, userName } from "./store.js";

const TYPING_PAUSE_MS = 150;
const LEAST_QUERY = 3; // Slack's default min_query_length

const NAMES = {
  static: "option", external: "option", users: "user", conversations: "conversation", channels: "channel",
};

const SOURCES = {
  static: (element) => (query) => ({ groups: matching(optionGroups(element), query) }),
  external: externalSource,
  users: () => (query) => ({ groups: matching([{ options: people().map(userChoice) }], query) }),
  channels: () => (query) => ({ groups: matching([{ options: channelChoices((channel) => channel.kind === "channel") }], query) }),
  conversations: (element) => (query) => ({ groups: matching([{ options: channelChoices((channel) => allowed(channel, element.filter)) }], query) }),
};

export function isSelect(type) {
  return /^(multi_)?(static|external|users|conversations|channels)_select$/.test(type);
}

export function select(element, place) {
  const field = new SelectField(element, place);
  return field.node;
}

class SelectField {
  constructor(element, place) {
    this.element = element;
    this.place = place;
    this.several = element.type.startsWith("multi_");
    this.kind = element.type.replace(/^multi_|_select$/g, "");
    this.name = NAMES[this.kind] + (this.several ? "s" : "");
    this.chosen = this.read(place.value(element, { [`selected_${this.name}`]: this.initial() }));
    this.search = SOURCES[this.kind](element, place);
    this.draw();
  }

  initial() {
    const given = this.element[`initial_${this.name}`];
    if (given === undefined && this.element.default_to_current_conversation) return this.place.surface.address.channel ?? null;
    return given ?? (this.several ? [] : null);
  }

  read(state) {
    const value = state[`selected_${this.name}`];
    const list = this.several ? value ?? [] : [value].filter(Boolean);
    return list.map((item) => (NAMES[this.kind] === "option" ? optionChoice(item) : idChoice(this.kind, item)));
  }

  state() {
    const raws = this.chosen.map((choice) => choice.raw);
    return { type: this.element.type, [`selected_${this.name}`]: this.several ? raws : raws[0] ?? null };
  }

  draw() {
    this.label = el("span", { class: "select-value" });
    this.button = el("button", {
      type: "button", class: "select", "aria-haspopup": "listbox", "aria-expanded": "false", "data-action-id": this.element.action_id,
      "aria-describedby": this.place.hintId, on: { click: () => this.open() },
    }, this.label, icon("caret"));
    this.node = el("span", { class: `select-wrap${this.several ? " several" : ""}` }, this.button);
    this.show();
  }

  show() {
    const empty = !this.chosen.length;
    const words = empty ? textObject(this.element.placeholder ?? "Select an option") : this.chosen.map((choice) => el("span", { class: this.several ? "pill" : "" }, choice.text()));
    this.label.replaceChildren(...words);
    this.button.classList.toggle("empty", empty);
    this.button.setAttribute("aria-label", `${this.fieldName()}: ${this.label.textContent}`);
    this.node.querySelector(".select-clear")?.remove();
    if (!empty && this.place.optional && !this.several) this.node.append(this.clearButton());
  }

  fieldName() {
    return this.place.block.label?.text ?? this.element.placeholder?.text ?? "Select";
  }

  clearButton() {
    return el("button", { type: "button", class: "select-clear icon-button", "aria-label": "Clear", on: { click: () => this.set([]) } }, icon("close"));
  }

  open() {
    const before = JSON.stringify(this.state());
    openMenu({
      anchor: this.button, label: this.fieldName(), searchable: true, several: this.several,
      search: async (query) => withDrawnText(await this.search(query)),
      isChosen: (key) => this.chosen.some((choice) => choice.key === key),
      onPick: (option) => (this.several ? this.toggle(option.choice) : this.pick(option.choice)),
      onClose: () => this.several && JSON.stringify(this.state()) !== before && this.tell(),
    });
  }

  async pick(choice) {
    if (!(await confirmed(this.element.confirm))) return;
    this.set([choice]);
  }

  set(chosen) {
    this.chosen = chosen;
    this.show();
    this.tell();
  }

  toggle(choice) {
    const known = this.chosen.some((item) => item.key === choice.key);
    const room = this.chosen.length < (this.element.max_selected_items ?? Infinity);
    if (known) this.chosen = this.chosen.filter((item) => item.key !== choice.key);
    else if (room) this.chosen = [...this.chosen, choice];
    this.place.put(this.element, this.state());
    this.show();
  }

  async tell() {
    this.button.setAttribute("aria-busy", "true");
    await this.place.choose(this.element, this.state());
    this.button.removeAttribute("aria-busy");
  }
}

function withDrawnText({ groups, note }) {
  const drawn = groups.map(({ label, options }) => ({
    label, options: options.map((choice) => ({ key: choice.key, text: choice.text(), description: choice.description?.(), choice })),
  }));
  return { groups: drawn, note };
}

export function optionChoice(option) {
  return {
    key: option.value, raw: option, words: option.text.text,
    text: () => textObject(option.text), description: option.description ? () => textObject(option.description) : null,
  };
}

function idChoice(kind, id) {
  return kind === "users" ? userChoice(store.users.get(id) ?? { id }) : channelChoice(store.channels.get(id) ?? { id, name: id, kind: "channel" });
}

function userChoice(user) {
  const handle = user.name ? `@${user.name}` : "";
  return { key: user.id, raw: user.id, words: `${userName(user.id)} ${handle}`, text: () => userName(user.id), description: handle ? () => handle : null };
}

function channelChoice(channel) {
  const name = channel.kind === "im" ? `@${channelTitle(channel)}` : `#${channel.name}`;
  return { key: channel.id, raw: channel.id, words: name, text: () => name };
}

function channelChoices(test) {
  return [...store.channels.values()].filter(test).map(channelChoice);
}

function allowed(channel, filter) {
  const kind = { channel: "public", private: "private", im: "im" }[channel.kind];
  if (filter?.include && !filter.include.includes(kind)) return false;
  return !(filter?.exclude_bot_users && channel.kind === "im" && isBotUser(channel.peer));
}

function optionGroups(source) {
  if (!source.option_groups) return [{ options: (source.options ?? []).map(optionChoice) }];
  return source.option_groups.map(({ label, options }) => ({ label: textObject(label), options: options.map(optionChoice) }));
}

function matching(groups, query) {
  const wanted = query.trim().toLocaleLowerCase();
  if (!wanted) return groups;
  return groups.map(({ label, options }) => ({ label, options: options.filter((choice) => choice.words.toLocaleLowerCase().includes(wanted)) }));
}

/** Options asked from the app; waits for a pause in typing, and drops answers that came too late. */
function externalSource(element, place) {
  const least = element.min_query_length ?? LEAST_QUERY;
  let latest = 0;
  return async (query) => {
    const ticket = (latest += 1);
    if (query.length < least) return { groups: [], note: `Type ${least === 1 ? "a character" : `at least ${least} characters`} to search` };
    await new Promise((resolve) => setTimeout(resolve, TYPING_PAUSE_MS));
    if (ticket !== latest) return { groups: [] };
    const answer = await place.surface.options(place.blockId, element, query);
    return answer.ok ? { groups: optionGroups(answer) } : { groups: [], note: "There was a problem loading the options." };
  };
}
