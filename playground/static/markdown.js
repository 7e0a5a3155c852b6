// Owns: the `markdown` block (ordinary Markdown as Slack accepts it) as DOM nodes.

import { el, link } from "./dom.js";
import { emojiNamed } from "./emoji.js";
import { characters, control } from "./mrkdwn.js";

const ITEM = /^(\s*)(?:[-*+]|(\d+)[.)])\s+(.*)$/;
const RULES = [
  { rule: /`([^`]+)`/, make: ([, code]) => el("code", {}, code) },
  { rule: /\\([\\`*_{}[\]()#+.!|~<>-])/, make: ([, character]) => document.createTextNode(character) },
  { rule: /!\[([^\]]*)\]\(([^\s)]+)[^)]*\)/, make: ([, alt, address]) => link(address, alt || address) },
  { rule: /\[([^\]]+)\]\(([^\s)]+)[^)]*\)/, make: ([, label, address]) => link(address, inline(label)) },
  { rule: /<([@#!][^<>\s]+[^<>]*|https?:[^<>\s]+|mailto:[^<>\s]+)>/, make: ([, body]) => control(body) },
  { rule: /\*\*\*(?=\S)(.+?\S|\S)\*\*\*/, make: ([, text]) => el("strong", {}, el("em", {}, inline(text))) },
  { rule: /\*\*(?=\S)(.+?\S|\S)\*\*/, make: ([, text]) => el("strong", {}, inline(text)) },
  { rule: /(?<![\p{L}\p{N}_])__(?=\S)(.+?\S|\S)__(?![\p{L}\p{N}_])/u, make: ([, text]) => el("strong", {}, inline(text)) },
  { rule: /~~(?=\S)(.+?\S|\S)~~/, make: ([, text]) => el("s", {}, inline(text)) },
  { rule: /\*(?=\S)([^*]*[^*\s])\*/, make: ([, text]) => el("em", {}, inline(text)) },
  { rule: /(?<![\p{L}\p{N}_])_(?=\S)([^_]*[^_\s])_(?![\p{L}\p{N}_])/u, make: ([, text]) => el("em", {}, inline(text)) },
  { rule: /:([a-z0-9_+'-]+):/, make: ([whole, name]) => emojiNamed(name) ?? document.createTextNode(whole) },
  { rule: /https?:\/\/[^\s<>)]+[^\s<>).,;:!?]/, make: ([address]) => link(address, address) },
];

function inline(text) {
  const hits = RULES.map(({ rule, make }) => ({ match: rule.exec(text), make })).filter(({ match }) => match);
  if (!hits.length) return characters(text);
  const { match, make } = hits.reduce((best, hit) => (hit.match.index < best.match.index ? hit : best));
  const after = text.slice(match.index + match[0].length);
  return [...characters(text.slice(0, match.index)), make(match), ...inline(after)];
}

/** Each reader takes lines from the front when they are its kind and gives the node, else null. */
const READERS = [blank, fence, heading, rule, quote, table, list, paragraph];

export function markdown(text) {
  const lines = (text ?? "").replace(/\r\n?/g, "\n").split("\n");
  const nodes = [];
  while (lines.length) {
    for (const reader of READERS) {
      const node = reader(lines);
      if (node === null) continue;
      if (node) nodes.push(node);
      break;
    }
  }
  return nodes;
}

function takeWhile(lines, test) {
  let count = 0;
  while (count < lines.length && test(lines[count])) count += 1;
  return lines.splice(0, count);
}

function blank(lines) {
  return takeWhile(lines, (line) => !line.trim()).length ? false : null;
}

function fence(lines) {
  if (!/^\s*```/.test(lines[0])) return null;
  lines.shift();
  const code = takeWhile(lines, (line) => !/^\s*```/.test(line));
  lines.shift();
  return el("pre", {}, code.join("\n"));
}

function heading(lines) {
  const found = /^(#{1,6})\s+(.*?)\s*#*$/.exec(lines[0]);
  if (!found) return null;
  lines.shift();
  return el(`h${Math.min(found[1].length + 2, 6)}`, { class: `md-heading level-${found[1].length}` }, inline(found[2]));
}

function rule(lines) {
  if (!/^\s*([-*_])(?:\s*\1){2,}\s*$/.test(lines[0])) return null;
  lines.shift();
  return el("hr");
}

function quote(lines) {
  const quoted = takeWhile(lines, (line) => line.startsWith(">"));
  return quoted.length ? el("blockquote", {}, markdown(quoted.map((line) => line.replace(/^> ?/, "")).join("\n"))) : null;
}

function table(lines) {
  if (!lines[0].includes("|") || !/^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/.test(lines[1] ?? "")) return null;
  const [head, marks, ...rows] = takeWhile(lines, (line) => line.includes("|"));
  const aligns = cells(marks).map((mark) => (mark.endsWith(":") ? (mark.startsWith(":") ? "center" : "right") : "left"));
  const row = (line, tag) => el("tr", {}, cells(line).map((cell, at) => el(tag, { class: `align-${aligns[at] ?? "left"}` }, inline(cell))));
  return el("div", { class: "table-scroll" }, el("table", { class: "block-table" },
    el("thead", {}, row(head, "th")), el("tbody", {}, rows.map((line) => row(line, "td")))));
}

function cells(line) {
  return line.trim().replace(/^\||\|$/g, "").split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
}

function list(lines) {
  if (!ITEM.test(lines[0])) return null;
  const ordered = isOrdered(lines[0]);
  return listNode(takeWhile(lines, (line) => /^\s{2,}\S/.test(line) || (ITEM.test(line) && isOrdered(line) === ordered)));
}

function isOrdered(line) {
  return ITEM.exec(line)?.[2] !== undefined;
}

function listNode(lines) {
  const [, indent, number] = ITEM.exec(lines[0]);
  const items = [];
  for (const line of lines) {
    const found = ITEM.exec(line);
    if (found && found[1].length <= indent.length) items.push({ text: found[3], below: [] });
    else items.at(-1).below.push(line);
  }
  return el(number ? "ol" : "ul", { start: number && number !== "1" ? number : undefined }, items.map(listItem));
}

function listItem({ text, below }) {
  const task = /^\[([ xX])\]\s+(.*)$/.exec(text);
  const words = task ? [task[1] === " " ? "☐ " : "☑ ", ...inline(task[2])] : inline(text);
  if (!below.length) return el("li", {}, words);
  return el("li", {}, words, ITEM.test(below[0]) ? listNode(below) : inline(` ${below.map((line) => line.trim()).join(" ")}`));
}

function paragraph(lines) {
  const [first] = lines.splice(0, 1);
  const starts = (line) => !line.trim() || /^\s*```|^#{1,6}\s|^>/.test(line) || ITEM.test(line);
  const more = takeWhile(lines, (line) => !starts(line));
  return el("p", {}, inline([first, ...more].join("\n")));
}
