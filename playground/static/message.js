// Owns: one message as a node: author, badge, time, content, attachments, edited and ephemeral marks, reply bar.

import { drawBlocks } from "./blocks.js";
import { clockTime, fullTime, timeAgo } from "./dates.js";
import { el, icon, iconButton, link } from "./dom.js";
import { mrkdwn, plainText } from "./mrkdwn.js";
import { appById, appOfBot, emit, isBotUser, store, userName } from "./store.js";
import { Surface } from "./surface.js";

const SHADES = ["#2b6cb0", "#9c4221", "#276749", "#6b46c1", "#b83280", "#2c7a7b", "#975a16", "#4a5568"];
const QUIET = new Set(["channel_join", "channel_leave", "channel_topic", "channel_purpose", "channel_name", "channel_archive", "group_join", "group_leave"]);
const surfaces = new Map();

/** Who wrote it: {id, name, bot}. */
export function authorOf(message) {
  const app = appOfBot(message.user) ?? appById(message.app_id ?? message.bot_profile?.app_id);
  const bot = Boolean(message.bot_id || message.bot_profile || app || isBotUser(message.user));
  const name = message.username ?? message.bot_profile?.name ?? (bot && app ? app.name : userName(message.user));
  return { id: message.user ?? message.bot_id, name: name ?? "Slackbot", bot };
}

export function avatar(id, name, bot, className = "") {
  const node = el("span", { class: `avatar ${bot ? "bot" : ""} ${className}`, "aria-hidden": "true" }, initials(name));
  node.style.setProperty("--shade", shade(id ?? name));
  return node;
}

function initials(name) {
  const words = name.split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  const han = words.find((word) => /^\p{Script=Han}+$/u.test(word));
  if (han) return [...han].at(-1);
  return words.slice(0, 2).map((word) => [...word][0] ?? "").join("").toUpperCase();
}

function shade(id) {
  const color = store.users.get(id)?.color;
  const own = color && [...store.users.values()].filter((user) => user.color === color).length === 1;
  if (own) return color.startsWith("#") ? color : `#${color}`;
  const sum = [...id].reduce((total, character) => (Math.imul(total, 31) + character.codePointAt(0)) | 0, 7);
  return SHADES[Math.abs(sum) % SHADES.length];
}

/** The remembered choices of a message; shared by its copies in channel and thread. */
function surfaceOf(channel, message) {
  const key = `${channel}:${message.ts}`;
  if (!surfaces.has(key)) {
    surfaces.set(key, new Surface("message", { channel, ts: message.ts }));
  }
  const surface = surfaces.get(key);
  surface.prune([...(message.blocks ?? []), ...(message.attachments ?? []).flatMap((attachment) => attachment.blocks ?? [])]);
  return surface;
}

/** `compact` leaves out avatar and name; `inThread` leaves out the reply bar. */
export function messageNode(channel, message, { compact, inThread }) {
  if (QUIET.has(message.subtype)) return quietLine(message);
  const author = message.notice ? { id: "USLACKBOT", name: "Slackbot", bot: true } : authorOf(message);
  return el("article", {
    class: `message${compact ? " compact" : ""}${message.ephemeral ? " ephemeral" : ""}${message.notice ? " notice" : ""}`,
    "data-ts": message.ts, "data-thread-ts": message.thread_ts, "data-ephemeral": message.ephemeral ? "true" : null, "aria-label": `${author.name}, ${clockTime(message.ts)}`,
  },
    el("div", { class: "gutter" }, compact ? stamp(message.ts) : avatar(author.id, author.name, author.bot)),
    el("div", { class: "message-main" },
      message.ephemeral && el("div", { class: "only-you" }, icon("eye"), "Only visible to you"),
      compact ? null : byline(author, message),
      message.subtype === "thread_broadcast" && el("div", { class: "broadcast-note" }, "replied to a thread"),
      body(channel, message),
      message.ephemeral && dismissLink(channel, message),
      inThread || message.ephemeral ? null : replyBar(message)),
    inThread || message.ephemeral ? null : tools(message),
  );
}

function quietLine(message) {
  return el("div", { class: "message quiet", "data-ts": message.ts }, el("div", { class: "gutter" }, stamp(message.ts)), el("div", { class: "message-main" }, mrkdwn(message.text)));
}

function byline(author, message) {
  return el("div", { class: "byline" },
    el("span", { class: "author", "data-user": author.id }, author.name),
    author.bot && el("span", { class: "badge" }, "APP"),
    stamp(message.ts));
}

function stamp(ts) {
  return el("time", { class: "stamp", title: fullTime(ts), datetime: new Date(Number(ts) * 1000).toISOString() }, clockTime(ts));
}

function body(channel, message) {
  const edited = message.edited && el("span", { class: "edited", title: message.edited.ts ? fullTime(message.edited.ts) : null }, " (edited)");
  const content = message.blocks?.length
    ? el("div", { class: "blocks" }, drawBlocks(message.blocks, surfaceOf(channel, message)), edited)
    : message.text && el("div", { class: "text" }, mrkdwn(message.text), edited);
  return [content, (message.attachments ?? []).map((attachment) => attachmentNode(channel, message, attachment))];
}

function attachmentNode(channel, message, attachment) {
  const node = el("div", { class: "attachment" },
    attachment.pretext && el("div", { class: "text" }, mrkdwn(attachment.pretext)),
    el("div", { class: "attachment-body" },
      attachment.title && el("strong", {}, attachment.title_link ? link(attachment.title_link, attachment.title) : plainText(attachment.title)),
      attachment.text && el("div", { class: "text" }, mrkdwn(attachment.text)),
      attachment.blocks && drawBlocks(attachment.blocks, surfaceOf(channel, message)),
      !attachment.text && !attachment.blocks && attachment.fallback && el("div", { class: "text" }, plainText(attachment.fallback)),
      attachment.footer && el("div", { class: "attachment-footer" }, plainText(attachment.footer))));
  if (/^#?[0-9a-f]{6}$/i.test(attachment.color ?? "")) node.style.setProperty("--bar", `#${attachment.color.replace("#", "")}`);
  return node;
}

function dismissLink(channel, message) {
  return el("button", { type: "button", class: "dismiss", on: { click: () => emit("dismiss", { channel, ts: message.ts }) } }, "Dismiss message");
}

function replyBar(message) {
  if (!message.reply_count) return null;
  const count = message.reply_count;
  const people = (message.reply_users ?? []).slice(0, 5).map((id) => avatar(id, userName(id), isBotUser(id), "tiny"));
  return el("button", { type: "button", class: "reply-bar", "data-open-thread": message.ts },
    people, el("span", { class: "reply-count" }, `${count} ${count === 1 ? "reply" : "replies"}`),
    message.latest_reply && el("span", { class: "reply-last" }, `Last reply ${timeAgo(message.latest_reply)}`));
}

function tools(message) {
  return el("div", { class: "message-tools" }, iconButton("thread", "Reply in thread", null, { "data-open-thread": message.ts }));
}
