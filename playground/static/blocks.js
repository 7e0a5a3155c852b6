// Owns: layout blocks as DOM nodes. Each block's node carries data-block-id; interactive elements come from elements.js.

import { el, icon, picture } from "./dom.js";
import { interactive } from "./elements.js";
import { markdown } from "./markdown.js";
import { plainText, textObject } from "./mrkdwn.js";
import { richText } from "./richtext.js";
import { Place } from "./surface.js";

const DRAW = {
  section, context, actions, image, input, table, alert,
  header: (block) => el("h3", { class: "header-text" }, plainText(block.text.text, block.text.emoji !== false)),
  divider: () => el("hr"),
  markdown: (block) => el("div", { class: "markdown" }, markdown(block.text)),
  rich_text: (block) => richText(block),
};

/** Nodes of a list of blocks on a surface. */
export function drawBlocks(blocks, surface) {
  return blocks.map((block, index) => {
    const place = new Place(surface, block, index);
    const draw = DRAW[block.type];
    const inside = draw ? draw(block, place) : el("span", { class: "unsupported" }, `Cannot show ${block.type} blocks`);
    return el("div", { class: `block block-${block.type}`, "data-block-id": place.blockId }, inside);
  });
}

function section(block, place) {
  const words = block.text && el("div", { class: "section-text" }, textObject(block.text));
  const fields = block.fields && el("div", { class: "section-fields" }, block.fields.map((field) => el("div", { class: "section-field" }, textObject(field))));
  const accessory = block.accessory && el("div", { class: "section-accessory" }, interactive(block.accessory, place));
  return [el("div", { class: "section-main" }, words, fields), accessory];
}

function context(block) {
  return block.elements.map((element) => (element.type === "image"
    ? picture(element.image_url, element.alt_text ?? "", "context-image")
    : el("span", { class: "context-text" }, textObject(element))));
}

function actions(block, place) {
  return block.elements.map((element) => interactive(element, place));
}

function image(block) {
  const title = block.title && el("figcaption", {}, textObject(block.title));
  return el("figure", {}, title, picture(block.image_url ?? `/_page/files/${block.slack_file?.id}`, block.alt_text ?? "", "large-image"));
}

function input(block, place) {
  const optional = block.optional ? el("span", { class: "optional" }, " (optional)") : null;
  const field = interactive(block.element, place);
  const label = el("div", { class: "input-label", id: place.labelId, on: { click: () => field.focus?.() } }, plainText(block.label.text), optional);
  const about = el("div", { class: "input-about", id: place.hintId },
    el("div", { class: "input-error", role: "alert" }),
    block.hint && el("div", { class: "input-hint" }, plainText(block.hint.text)));
  return [label, field, about];
}

/** Put `sentence` under the field of `block`, or take it away when there is none. */
export function showFieldError(blockNode, sentence) {
  const slot = blockNode.querySelector(".input-error");
  if (!slot) return false;
  blockNode.classList.toggle("invalid", Boolean(sentence));
  const field = blockNode.querySelector("[data-action-id]");
  if (sentence) field?.setAttribute("aria-invalid", "true");
  else field?.removeAttribute("aria-invalid");
  slot.replaceChildren(...(sentence ? [icon("alert"), el("span", {}, sentence)] : []));
  return true;
}

function table(block) {
  const [head, ...rows] = block.rows;
  const settings = block.column_settings ?? [];
  const row = (cells, tag) => el("tr", {}, cells.map((cell, at) => el(tag, { class: cellClass(settings[at], cell), scope: tag === "th" ? "col" : null }, cellContent(cell))));
  return el("div", { class: "table-scroll", tabindex: "0", role: "region", "aria-label": "Table" },
    el("table", { class: "block-table" },
      el("thead", {}, row(head ?? [], "th")), el("tbody", {}, rows.map((cells) => row(cells, "td")))));
}

function cellClass(setting, cell) {
  const align = setting?.align ?? (cell?.type === "raw_number" ? "right" : "left");
  return `align-${align}${setting?.is_wrapped ? " wrapped" : ""}`;
}

function cellContent(cell) {
  if (cell?.type === "rich_text") return richText(cell);
  return plainText(String(cell?.text ?? cell?.value ?? ""));
}

const ALERT_ICONS = { info: "info", warning: "alert", error: "alert", success: "check", default: "info" };

function alert(block) {
  const level = ALERT_ICONS[block.level] ? block.level : "default";
  return el("div", { class: `alert-box ${level}`, role: level === "error" ? "alert" : "note" }, icon(ALERT_ICONS[level]), el("div", {}, textObject(block.text)));
}
