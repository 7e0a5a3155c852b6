// Owns: rich_text blocks (sections, lists, quotes, preformatted) as DOM nodes.

import { el, link } from "./dom.js";
import { emojiNamed } from "./emoji.js";
import { broadcast, channelMention, characters, dateNode, userMention } from "./mrkdwn.js";

const STYLE_TAGS = [["code", "code"], ["strike", "s"], ["italic", "em"], ["bold", "strong"], ["underline", "u"]];

const LEAVES = {
  text: (leaf) => characters(leaf.text ?? ""),
  link: (leaf) => link(leaf.url, leaf.text || leaf.url),
  user: (leaf) => userMention(leaf.user_id),
  channel: (leaf) => channelMention(leaf.channel_id),
  usergroup: (leaf) => el("span", { class: "mention" }, `@${leaf.usergroup_id}`),
  broadcast: (leaf) => broadcast(leaf.range),
  emoji: (leaf) => emojiNamed(leaf.name) ?? `:${leaf.name}:`,
  date: (leaf) => dateNode(leaf.timestamp, leaf.format, leaf.url, leaf.fallback),
  color: (leaf) => el("code", {}, leaf.value),
};

const PARTS = {
  rich_text_section: (part) => el("div", { class: "rich-section" }, leaves(part)),
  rich_text_preformatted: (part) => el("pre", {}, leaves(part)),
  rich_text_quote: (part) => el("blockquote", {}, leaves(part)),
  rich_text_list: list,
};

export function richText(block) {
  return (block.elements ?? []).map((part) => PARTS[part.type]?.(part) ?? unknown(part));
}

function list(part) {
  const ordered = part.style === "ordered";
  const indent = Math.min(part.indent ?? 0, 8);
  const items = (part.elements ?? []).map((item) => el("li", {}, leaves(item)));
  const start = ordered && part.offset ? part.offset + 1 : undefined;
  return el(ordered ? "ol" : "ul", { class: `indent-${indent}`, start }, items);
}

function leaves(part) {
  return (part.elements ?? []).map((leaf) => dressed(LEAVES[leaf.type]?.(leaf) ?? unknown(leaf), leaf.style));
}

function dressed(content, style) {
  return STYLE_TAGS.reduce((inside, [name, tag]) => (style?.[name] ? el(tag, {}, inside) : inside), content);
}

function unknown(part) {
  return el("span", { class: "unsupported" }, `Cannot show ${part.type}`);
}
