// Owns: what says where one is: the heading above the messages, an app's tabs, the document's title,
// and the bar that offers to join a channel one only looks into.

import { el, icon, iconButton } from "./dom.js";
import { avatar } from "./message.js";
import { appById, appOfBot, channelTitle, emit, store } from "./store.js";
import { wire } from "./wire.js";

/** The open conversation; one that has no message yet has no id. Null on a Home tab. */
export function hereChannel() {
  const { kind, id, peer } = store.place;
  if (kind === "home") return null;
  return store.channels.get(id) ?? (peer ? { kind: "im", peer } : null);
}

export function maySpeak() {
  const channel = hereChannel();
  return Boolean(channel) && (channel.kind === "im" || channel.members.includes(store.me.id));
}

export function placeName() {
  const channel = hereChannel();
  if (!channel) return appById(store.place.id)?.name ?? "";
  return channel.kind === "im" ? channelTitle(channel) : `#${channelTitle(channel)}`;
}

export function drawHeading(node, onMenu) {
  node.replaceChildren(iconButton("menu", "Open sidebar", onMenu, { class: "icon-button menu-button" }), ...words());
  drawTitle();
}

function words() {
  const channel = hereChannel();
  const app = channel ? appOfBot(channel.peer) : appById(store.place.id);
  if (app) return [avatar(app.bot_user_id, app.name, true, "small"), el("h2", {}, app.name), tabs(app, !channel)];
  if (!channel) return [el("h2", {}, "No channel")];
  if (channel.kind === "im") return [avatar(channel.peer, channelTitle(channel), false, "small"), el("h2", {}, channelTitle(channel))];
  const count = channel.members.length;
  const members = el("span", { class: "member-count" }, `${count} ${count === 1 ? "member" : "members"}`);
  return [icon(channel.kind === "private" ? "lock" : "hash"), el("h2", {}, channel.name), members];
}

function tabs(app, atHome) {
  const tab = (label, current, open) => el("button", { type: "button", role: "tab", "aria-selected": String(current), on: { click: open } }, label);
  return el("div", { class: "tabs", role: "tablist" },
    app.has_home === false ? null : tab("Home", atHome, () => emit("go", { kind: "home", id: app.app_id })),
    tab("Messages", !atHome, () => emit("direct", app.bot_user_id)));
}

export function drawTitle() {
  const waiting = [...store.channels.values()].reduce((sum, channel) => sum + (channel.mentions ?? 0), 0);
  document.title = `${waiting ? `(${waiting}) ` : ""}${placeName()} · ${store.team.name}`;
}

export function drawJoin(node) {
  const channel = hereChannel();
  node.hidden = !channel || maySpeak();
  if (node.hidden) return;
  const join = async () => {
    await wire.join(store.me.id, channel.id);
    emit("opened", channel.id);
  };
  node.replaceChildren(el("strong", {}, placeName()), el("button", { type: "button", class: "button primary", on: { click: join } }, "Join channel"));
}
