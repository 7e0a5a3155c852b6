// Owns: what a person has chosen and typed on one surface (a message, a modal, the Home tab) and sending presses.
// A Surface outlives its drawing: choices stay when a message or view is drawn again with the same ids, as in Slack.

import { emit, store } from "./store.js";
import { wire } from "./wire.js";

const CHECK = {
  email_text_input: [/^[^\s@]+@[^\s@]+\.[^\s@]+$/, "Must be a valid email address."],
  url_text_input: [/^https?:\/\/\S+$/i, "Must be a valid URL."],
};

export class Surface {
  /** `address` is {channel, ts} or {view_id}; `values` is what the server already knows (state.values). */
  constructor(kind, address, values = {}) {
    this.kind = kind;
    this.address = address;
    this.values = structuredClone(values);
  }

  get(blockId, actionId, type) {
    const value = this.values[blockId]?.[actionId];
    return value?.type === type ? value : null;
  }

  put(blockId, actionId, value) {
    (this.values[blockId] ??= {})[actionId] = value;
  }

  /** Forget what the new blocks no longer have. */
  prune(blocks) {
    const actions = new Map(blocks.map((block, index) => [blockIdOf(block, index), actionIds(block)]));
    for (const [id, values] of Object.entries(this.values)) {
      for (const action of Object.keys(values)) if (!actions.get(id)?.includes(action)) delete values[action];
      if (!Object.keys(values).length) delete this.values[id];
    }
  }

  async press(blockId, element, selected) {
    const answer = await wire.press({
      user: store.me.id, ...this.address, block_id: blockId, action_id: element.action_id, selected, state: this.values,
    });
    if (!answer.ok) emit("press-failed", { surface: this, error: answer.error });
    return answer;
  }

  options(blockId, element, query) {
    return wire.options({ user: store.me.id, ...this.address, block_id: blockId, action_id: element.action_id, query });
  }
}

function actionIds(block) {
  return [block.element, block.accessory, ...(block.elements ?? [])].map((element) => element?.action_id).filter(Boolean);
}

export function blockIdOf(block, index) {
  return block.block_id ?? `block-${index}`;
}

/** Where one element stands: its surface, its block, and whether it is a form field. */
export class Place {
  constructor(surface, block, index) {
    this.surface = surface;
    this.block = block;
    this.blockId = blockIdOf(block, index);
    this.inInput = block.type === "input";
    this.optional = Boolean(block.optional);
    this.labelId = this.inInput ? `label-${surface.kind}-${this.blockId}` : undefined;
    this.hintId = this.inInput ? `about-${surface.kind}-${this.blockId}` : undefined;
  }

  /** The value now: what was chosen before, else `initial`, which is then remembered. */
  value(element, initial) {
    const known = this.surface.get(this.blockId, element.action_id, element.type);
    if (known) return known;
    const first = { type: element.type, ...initial };
    this.put(element, first);
    return first;
  }

  put(element, value) {
    this.surface.put(this.blockId, element.action_id, value);
  }

  /** Remember a choice; tell the app unless the field waits for submit. */
  async choose(element, value) {
    this.put(element, value);
    if (!this.inInput || this.block.dispatch_action) return this.surface.press(this.blockId, element, value);
    return { ok: true };
  }

  send(element, value) {
    return this.surface.press(this.blockId, element, value);
  }
}

/** Slack's own checks before a form is sent: {block_id: sentence}. */
export function fieldErrors(blocks, surface) {
  const errors = {};
  blocks.forEach((block, index) => {
    if (block.type !== "input") return;
    const id = blockIdOf(block, index);
    const problem = fieldProblem(block, surface.values[id]?.[block.element.action_id]);
    if (problem) errors[id] = problem;
  });
  return errors;
}

function fieldProblem({ element, optional }, state) {
  const content = contentOf(state);
  if (isEmpty(content)) return optional ? null : "Please complete this required field.";
  const [pattern, sentence] = CHECK[element.type] ?? [];
  if (pattern && !pattern.test(content)) return sentence;
  if (element.type === "number_input") return numberProblem(element, Number(content));
  return lengthProblem(element, content);
}

function contentOf(state) {
  const { type: _type, ...rest } = state ?? {};
  return Object.values(rest)[0];
}

function isEmpty(content) {
  return content === undefined || content === null || content === "" || (Array.isArray(content) && !content.length);
}

function numberProblem(element, number) {
  if (Number.isNaN(number)) return "Must be a number.";
  if (!element.is_decimal_allowed && !Number.isInteger(number)) return "Must be a whole number.";
  if (element.min_value !== undefined && number < Number(element.min_value)) return `Must be at least ${element.min_value}.`;
  if (element.max_value !== undefined && number > Number(element.max_value)) return `Must be at most ${element.max_value}.`;
  return null;
}

function lengthProblem(element, content) {
  if (element.min_length && content.length < element.min_length) return `This entry needs to be at least ${element.min_length} characters.`;
  return null;
}
