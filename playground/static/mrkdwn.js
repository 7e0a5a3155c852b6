// Owns: Slack's own text format (mrkdwn) and plain_text, turned into DOM nodes the way Slack shows them.
// `& < >` arrive escaped; what stands between < and > is Slack's control sequence, everything else is text.

import { el, link, safeUrl } from "./dom.js";
import { slackDate } from "./dates.js";
import { EMOJI_RUN, emojiNamed, emojiNode } from "./emoji.js";
import { store, userName } from "./store.js";

const ENTITIES = { "&amp;": "&", "&lt;": "<", "&gt;": ">" };
const FENCE = /```\n?([\s\S]+?)\n?```\n?/g;
const ATOM = /`([^`\n]+)`|<([^<>\n]+)>|(?<![\p{L}\p{N}]):([a-z0-9_+'-]+)(?:::(skin-tone-[2-6]))?:|(https?:\/\/[^\s<>|`，。；、）]+[^\s<>|`.,;:!?)，。；、）])/giu;
const FIRST_SLOT = 0xf0000; // private-use characters stand for finished nodes while bold and the like are found
const SLOT = /[\u{F0000}-\u{FFFFD}]/gu;
const BROADCASTS = new Set(["here", "channel", "everyone"]);

function styleRule(mark) {
  const m = mark === "*" ? "\\*" : mark;
  return new RegExp(`(?<![\\p{L}\\p{N}${m}])${m}(?![\\s${m}])([^${m}\\n]*[^${m}\\s])${m}(?![\\p{L}\\p{N}${m}])`, "u");
}
const STYLES = [["*", "strong"], ["_", "em"], ["~", "s"]].map(([mark, tag]) => ({ tag, rule: styleRule(mark) }));

export function unescapeEntities(text) {
  return text.replace(/&(?:amp|lt|gt);/g, (entity) => ENTITIES[entity]);
}

/** Text object of Block Kit (plain_text or mrkdwn) as nodes. */
export function textObject(object) {
  if (!object) return [];
  if (typeof object === "string") return plainText(object);
  return object.type === "mrkdwn" ? mrkdwn(object.text, { verbatim: object.verbatim }) : plainText(object.text, object.emoji !== false);
}

export function plainText(text, emoji = true) {
  if (!emoji) return characters(unescapeEntities(text));
  const atoms = [];
  const marked = text.replace(/:([a-z0-9_+'-]+)(?:::(skin-tone-[2-6]))?:/gi, (whole, name, tone) => {
    const node = emojiNamed(name.toLowerCase(), tone);
    return node ? slotFor(atoms, node) : whole;
  });
  return fill(marked, atoms);
}

export function mrkdwn(text, { verbatim = false } = {}) {
  const nodes = [];
  let at = 0;
  for (const match of (text ?? "").matchAll(FENCE)) {
    nodes.push(...quotedLines(text.slice(at, match.index), verbatim), el("pre", {}, codeText(match[1])));
    at = match.index + match[0].length;
  }
  return [...nodes, ...quotedLines((text ?? "").slice(at), verbatim)];
}

function codeText(text) {
  const atoms = [];
  const marked = text.replace(/<([^<>\n]+)>/g, (_, body) => slotFor(atoms, control(body)));
  return fill(marked, atoms);
}

/** Group lines that begin with > into quotes; >>> quotes all that follows. */
function quotedLines(text, verbatim) {
  const nodes = [];
  const groups = groupLines(text.split("\n"));
  groups.forEach(({ quoted, lines }, index) => {
    const inside = inline(lines.join("\n"), verbatim);
    if (quoted) return nodes.push(el("blockquote", {}, inside));
    if (index > 0 && lines.length === 1 && lines[0] === "") return undefined;
    return nodes.push(...inside);
  });
  return nodes;
}

function groupLines(lines) {
  const groups = [];
  let rest = false;
  for (const line of lines) {
    const found = rest ? null : /^(?:&gt;|>)((?:&gt;|>){2})? ?(.*)$/s.exec(line);
    const quoted = rest || Boolean(found);
    rest = rest || Boolean(found?.[1]);
    const last = groups.at(-1);
    const content = found ? found[2] : line;
    if (last && last.quoted === quoted) last.lines.push(content);
    else groups.push({ quoted, lines: [content] });
  }
  return groups;
}

function inline(text, verbatim) {
  const atoms = [];
  const clean = text.replace(SLOT, "");
  const marked = clean.replace(ATOM, (whole, code, body, name, tone, address) => {
    const node = atom({ code, body, name, tone, address: verbatim ? null : address });
    return node ? slotFor(atoms, node) : whole;
  });
  return styled(marked, atoms);
}

function atom({ code, body, name, tone, address }) {
  if (code) return el("code", {}, codeText(code));
  if (body) return control(body);
  if (name) return emojiNamed(name.toLowerCase(), tone);
  return address ? link(unescapeEntities(address), unescapeEntities(address)) : null;
}

function slotFor(atoms, node) {
  atoms.push(node);
  return String.fromCodePoint(FIRST_SLOT + atoms.length - 1);
}

function styled(text, atoms) {
  const first = STYLES.map(({ tag, rule }) => ({ tag, match: rule.exec(text) }))
    .filter(({ match }) => match)
    .sort((a, b) => a.match.index - b.match.index)[0];
  if (!first) return fill(text, atoms);
  const { tag, match } = first;
  const after = text.slice(match.index + match[0].length);
  return [...fill(text.slice(0, match.index), atoms), el(tag, {}, styled(match[1], atoms)), ...styled(after, atoms)];
}

/** Text with slots put back as their nodes. */
function fill(text, atoms) {
  const nodes = [];
  let at = 0;
  for (const match of text.matchAll(SLOT)) {
    nodes.push(...characters(unescapeEntities(text.slice(at, match.index))));
    nodes.push(atoms[match[0].codePointAt(0) - FIRST_SLOT] ?? "");
    at = match.index + match[0].length;
  }
  return [...nodes, ...characters(unescapeEntities(text.slice(at)))];
}

/** Bare characters: line breaks and emoji pictures, nothing else is special. */
export function characters(text) {
  return text.split("\n").flatMap((line, index) => (index ? [el("br"), ...withEmoji(line)] : withEmoji(line)));
}

function withEmoji(line) {
  const nodes = [];
  let at = 0;
  for (const match of line.matchAll(EMOJI_RUN)) {
    if (match.index > at) nodes.push(line.slice(at, match.index));
    nodes.push(emojiNode(match[0]));
    at = match.index + match[0].length;
  }
  if (at < line.length) nodes.push(line.slice(at));
  return nodes;
}

/** What stands between < and >: mention, channel, broadcast, date or link. */
export function control(body) {
  const bar = body.indexOf("|");
  const target = bar < 0 ? body : body.slice(0, bar);
  const label = bar < 0 ? null : unescapeEntities(body.slice(bar + 1));
  if (/^@[UWB]/.test(target)) return userMention(target.slice(1), label);
  if (/^#[CGD]/.test(target)) return channelMention(target.slice(1), label);
  if (target.startsWith("!")) return special(target.slice(1), label, body);
  return addressLink(target, label, body);
}

export function userMention(id, label) {
  const name = store.users.has(id) ? userName(id) : label ?? userName(id);
  const own = id === store.me?.id ? " own" : "";
  return el("span", { class: `mention${own}`, "data-user": id }, `@${name}`);
}

export function channelMention(id, label) {
  const name = store.channels.get(id)?.name ?? label ?? "private-channel";
  return el("a", { class: "mention", href: `?channel=${encodeURIComponent(id)}`, "data-open-channel": id }, `#${name}`);
}

export function broadcast(range) {
  return el("span", { class: "mention own broadcast" }, `@${range}`);
}

function special(command, label, body) {
  const [name, ...rest] = command.split("^");
  if (BROADCASTS.has(name)) return broadcast(name);
  if (name === "subteam") return el("span", { class: "mention" }, label ?? `@${rest[0]}`);
  if (name === "date") return dateNode(rest[0], unescapeEntities(rest[1] ?? ""), rest[2], label);
  return el("span", {}, label ?? `<${unescapeEntities(body)}>`);
}

export function dateNode(seconds, template, address, fallback) {
  const words = slackDate(seconds, template) ?? fallback ?? template;
  const node = el("time", { title: fallback, "data-ts": seconds }, words);
  return address ? link(unescapeEntities(address), node) : node;
}

function addressLink(target, label, body) {
  const address = unescapeEntities(target);
  if (!safeUrl(address)) return el("span", {}, label ?? `<${unescapeEntities(body)}>`);
  return link(address, ...plainText(label ?? address.replace(/^mailto:/, "")));
}
