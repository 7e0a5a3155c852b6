// Owns: the banner that says that faults are on, what they did so far, and the button that ends them.

import { el } from "./dom.js";
import { wire } from "./wire.js";

/** Show in `banner` which faults are in force; hidden when none is. */
export async function drawFaults(banner) {
  const { ok, faults } = await wire.faults();
  if (!ok) return;
  const live = faults.filter((fault) => !fault.is_spent);
  banner.hidden = !live.length;
  if (!live.length) return banner.replaceChildren();
  const struck = faults.reduce((sum, fault) => sum + fault.struck, 0);
  const kinds = [...new Set(live.map((fault) => fault.kind.replaceAll("_", " ")))].join(", ");
  const clear = el("button", { type: "button", class: "banner-button", on: { click: wire.clearFaults } }, "Clear");
  banner.replaceChildren(`Faults are on: ${kinds}. ${count(struck, "strike")} so far. `, clear);
}

function count(number, word) {
  return `${number} ${word}${number === 1 ? "" : "s"}`;
}
