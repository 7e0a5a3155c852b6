// Owns: a list of messages (a channel or one thread): grouping, day dividers, the "New" line, scrolling.
// Messages that did not change keep their nodes, so open menus, focus and typing survive live updates.

import { dayKey, dayLabel } from "./dates.js";
import { el, reconcile } from "./dom.js";
import { authorOf, messageNode } from "./message.js";
import { messagesOf, store } from "./store.js";

const GROUP_SECONDS = 300;
const SHOWN = 200;
const NEAR_END_PX = 80;

export class Timeline {
  constructor(node, { inThread = false } = {}) {
    this.node = node;
    this.inThread = inThread;
    this.show(null, null);
  }

  /** Show another channel (and thread); starts at its end. */
  show(channel, thread) {
    this.channel = channel;
    this.thread = thread;
    this.known = new Map();
    this.limit = SHOWN;
    this.node.replaceChildren();
    this.node.dataset.channel = channel ?? "";
    this.follow = true;
  }

  render() {
    if (!this.channel) return;
    const near = this.follow || this.node.scrollHeight - this.node.scrollTop - this.node.clientHeight < NEAR_END_PX;
    const all = messagesOf(this.channel, this.thread);
    const shown = all.slice(-this.limit);
    const nodes = this.nodes(shown);
    if (all.length > shown.length) nodes.unshift(this.earlier(all.length - shown.length));
    reconcile(this.node, nodes.length ? nodes : [this.empty()]);
    if (near) this.node.scrollTop = this.node.scrollHeight;
    this.follow = false;
  }

  nodes(messages) {
    const fresh = new Map();
    const firstNew = this.inThread ? null : firstUnread(messages, store.unreadAt.get(this.channel) ?? 0);
    let before = null;
    const nodes = messages.flatMap((message) => {
      const newDay = !this.inThread && (!before || dayKey(before.ts) !== dayKey(message.ts));
      const compact = !newDay && message !== firstNew && continues(before, message);
      const added = [newDay && this.divider(fresh, message.ts), message === firstNew && this.newLine(fresh), this.entry(fresh, message, compact), this.replyCount(fresh, message, messages)];
      before = message;
      return added.filter(Boolean);
    });
    this.known = fresh;
    return nodes;
  }

  /** The node of a message, drawn again only when something of it changed. */
  entry(fresh, message, compact) {
    const print = JSON.stringify([message, compact, store.me?.id]);
    const known = this.known.get(message.ts);
    const node = known?.print === print ? known.node : messageNode(this.channel, message, { compact, inThread: this.inThread });
    fresh.set(message.ts, { print, node });
    return node;
  }

  reuse(fresh, key, make) {
    const node = this.known.get(key)?.node ?? make();
    fresh.set(key, { node });
    return node;
  }

  divider(fresh, ts) {
    const label = dayLabel(ts);
    return this.reuse(fresh, `day ${dayKey(ts)} ${label}`, () => el("div", { class: "day", role: "separator", "aria-label": label }, el("span", {}, label)));
  }

  newLine(fresh) {
    return this.reuse(fresh, "new", () => el("div", { class: "new-line", role: "separator", "aria-label": "New messages" }, el("span", {}, "New")));
  }

  replyCount(fresh, message, messages) {
    if (!this.inThread || message.ts !== this.thread) return null;
    const count = messages.filter((item) => !item.ephemeral).length - 1;
    if (count < 1) return null;
    const words = `${count} ${count === 1 ? "reply" : "replies"}`;
    return this.reuse(fresh, words, () => el("div", { class: "thread-count" }, el("span", {}, words)));
  }

  earlier(count) {
    const more = () => {
      const fromEnd = this.node.scrollHeight - this.node.scrollTop;
      this.limit += SHOWN;
      this.render();
      this.node.scrollTop = this.node.scrollHeight - fromEnd;
    };
    return el("button", { type: "button", class: "earlier", on: { click: more } }, `Show ${Math.min(count, SHOWN)} earlier messages`);
  }

  empty() {
    return el("div", { class: "empty" }, this.inThread ? "This thread is empty." : "No messages here yet.");
  }
}

/** Same author within five minutes: shown without name and picture. */
function continues(before, message) {
  if (!before || before.ephemeral !== message.ephemeral || before.notice || message.notice) return false;
  if (before.subtype || message.subtype === "thread_broadcast" || before.reply_count || message.ephemeral) return false;
  const [first, second] = [authorOf(before), authorOf(message)];
  return first.id === second.id && first.name === second.name && Number(message.ts) - Number(before.ts) < GROUP_SECONDS;
}

function firstUnread(messages, count) {
  if (!count) return null;
  const others = messages.filter((message) => !message.ephemeral && message.user !== store.me.id);
  return others.at(-count) ?? others[0] ?? null;
}
