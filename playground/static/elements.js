// Owns: every interactive element but the selects: buttons, overflow, checkboxes, radio buttons, text-like inputs,
// date and time pickers. Each takes (element, place) and gives a node that carries data-action-id.

import { confirmed } from "./dialogs.js";
import { el, icon, picture, safeUrl } from "./dom.js";
import { openMenu } from "./menu.js";
import { plainText, textObject } from "./mrkdwn.js";
import { isSelect, optionChoice, select } from "./selects.js";

const SETTLE_MS = 350; // a date typed by keyboard changes digit by digit: wait for the hand to rest

const MAKERS = {
  button, overflow, checkboxes: choices, radio_buttons: choices,
  plain_text_input: textInput, email_text_input: textInput, url_text_input: textInput, number_input: textInput,
  datepicker: picker, timepicker: picker, datetimepicker: picker,
  image: (element) => picture(element.image_url ?? element.slack_file?.url, element.alt_text ?? "", "accessory-image"),
};

export function interactive(element, place) {
  if (isSelect(element.type)) return select(element, place);
  const make = MAKERS[element.type];
  return make ? make(element, place) : el("span", { class: "unsupported" }, `Cannot show ${element.type}`);
}

function button(element, place) {
  const href = element.url ? safeUrl(element.url) : null;
  const node = el(href ? "a" : "button", {
    class: `button ${element.style ?? ""}`, type: href ? null : "button", href, target: href ? "_blank" : null, rel: href ? "noopener noreferrer" : null,
    "data-action-id": element.action_id, "data-value": element.value, "aria-label": element.accessibility_label,
    on: { click: () => pressButton(node, element, place) },
  }, textObject(element.text));
  return node;
}

async function pressButton(node, element, place) {
  if (node.getAttribute("aria-busy") || !(await confirmed(element.confirm))) return;
  node.setAttribute("aria-busy", "true");
  await place.send(element, { type: element.type, value: element.value, text: element.text });
  node.removeAttribute("aria-busy");
}

function overflow(element, place) {
  const open = () => openMenu({
    anchor: node, label: "More actions", role: "menu",
    search: () => ({ groups: [{ options: element.options.map((option) => ({ key: option.value, text: textObject(option.text), description: option.description && textObject(option.description), raw: option })) }] }),
    onPick: ({ raw }) => pickOverflow(element, place, raw),
  });
  const node = el("button", { type: "button", class: "button overflow", "data-action-id": element.action_id, "aria-label": "More actions", "aria-haspopup": "menu", "aria-expanded": "false", on: { click: open } }, icon("dots"));
  return node;
}

async function pickOverflow(element, place, option) {
  if (!(await confirmed(element.confirm))) return;
  if (option.url && safeUrl(option.url)) window.open(option.url, "_blank", "noopener");
  await place.send(element, { type: "overflow", selected_option: option });
}

/** Checkboxes and radio buttons. */
function choices(element, place) {
  const single = element.type === "radio_buttons";
  const key = single ? "selected_option" : "selected_options";
  const state = place.value(element, { [key]: single ? element.initial_option ?? null : element.initial_options ?? [] });
  const chosen = new Set([state[key]].flat().filter(Boolean).map((option) => option.value));
  const group = el("div", { class: "choices", role: single ? "radiogroup" : "group", "data-action-id": element.action_id, "aria-labelledby": place.labelId, "aria-label": place.labelId ? null : "Options" });
  const read = () => element.options.filter((_, index) => group.querySelectorAll("input")[index].checked);
  const change = async (event) => {
    if (!(await confirmed(element.confirm))) return void (event.target.checked = !event.target.checked);
    return place.choose(element, { type: element.type, [key]: single ? read()[0] ?? null : read() });
  };
  const name = `${place.surface.kind}-${place.blockId}-${element.action_id}`;
  group.append(...element.options.map((option) => choice(option, { single, name, checked: chosen.has(option.value), change })));
  return group;
}

function choice(option, { single, name, checked, change }) {
  const shown = optionChoice(option);
  const input = el("input", { type: single ? "radio" : "checkbox", name, value: option.value, on: { change } });
  input.checked = checked;
  return el("label", { class: "choice" }, input, el("span", {}, shown.text(), shown.description && el("span", { class: "choice-description" }, shown.description())));
}

const TEXT_TYPES = { email_text_input: "email", url_text_input: "url", number_input: "text" };

function textInput(element, place) {
  const long = Boolean(element.multiline);
  const field = el(long ? "textarea" : "input", {
    class: "field", type: long ? null : TEXT_TYPES[element.type] ?? "text", inputmode: element.type === "number_input" ? "decimal" : null, rows: long ? "3" : null,
    placeholder: element.placeholder?.text, maxlength: element.max_length, autocomplete: "off", "data-action-id": element.action_id,
    "aria-labelledby": place.labelId, "aria-describedby": place.hintId, "data-focus": element.focus_on_load ? "" : null,
  });
  field.value = place.value(element, { value: element.initial_value ?? null }).value ?? "";
  const state = () => ({ type: element.type, value: field.value || null });
  const triggers = element.dispatch_action_config?.trigger_actions_on ?? ["on_enter_pressed"];
  field.addEventListener("input", () => (triggers.includes("on_character_entered") ? place.choose(element, state()) : place.put(element, state())));
  field.addEventListener("keydown", (event) => enterDispatches(event, { element, place, state, triggers, long }));
  return field;
}

function enterDispatches(event, { element, place, state, triggers, long }) {
  const wanted = place.block.dispatch_action && triggers.includes("on_enter_pressed");
  if (event.key !== "Enter" || event.isComposing || !wanted || (long && event.shiftKey)) return;
  event.preventDefault();
  place.send(element, state());
}

const PICKERS = {
  datepicker: { input: "date", key: "selected_date", initial: "initial_date", label: "Select a date", shown: String, stored: String },
  timepicker: { input: "time", key: "selected_time", initial: "initial_time", label: "Select a time", shown: String, stored: String },
  datetimepicker: { input: "datetime-local", key: "selected_date_time", initial: "initial_date_time", label: "Select a date and time", shown: localMinute, stored: (text) => Math.round(new Date(text).getTime() / 1000) },
};

function picker(element, place) {
  const kind = PICKERS[element.type];
  const now = place.value(element, { [kind.key]: element[kind.initial] ?? null })[kind.key];
  const field = el("input", { class: "field picker", type: kind.input, "data-action-id": element.action_id, "aria-labelledby": place.labelId, "aria-label": place.labelId ? null : element.placeholder?.text ?? kind.label, "aria-describedby": place.hintId, max: kind.input === "date" ? "9999-12-31" : null });
  field.value = now === null || now === undefined ? "" : kind.shown(now);
  let timer = null;
  field.addEventListener("change", () => {
    const state = { type: element.type, [kind.key]: field.value ? kind.stored(field.value) : null };
    place.put(element, state);
    clearTimeout(timer);
    timer = setTimeout(() => pickDate(element, place, state), SETTLE_MS);
  });
  const hint = !place.inInput && element.placeholder ? el("span", { class: "picker-hint" }, plainText(element.placeholder.text)) : null;
  return el("span", { class: "picker-wrap" }, hint, field);
}

async function pickDate(element, place, state) {
  if (await confirmed(element.confirm)) place.choose(element, state);
}

function localMinute(seconds) {
  const date = new Date(seconds * 1000);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
