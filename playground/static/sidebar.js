// Owns: the sidebar: workspace, acting user, channels, direct messages and apps with their unread marks.

import { el, icon, reconcile } from "./dom.js";
import { avatar } from "./message.js";
import { channelTitle, directChannel, emit, isBotUser, people, store } from "./store.js";

const drawn = new Map(); // part -> {print, node}: what did not change keeps its node, so an open switcher stays open

export function drawSidebar(node) {
  const focused = node.contains(document.activeElement) ? rowSelector(document.activeElement) : null;
  const people = [store.team, store.me, [...store.users.values()]];
  reconcile(node, [
    part("header", people, header),
    part("nav", [people, store.place, store.apps, [...store.channels.values()]], nav),
    part("footer", null, footer),
  ]);
  if (focused && !node.contains(document.activeElement)) node.querySelector(focused)?.focus();
}

function part(name, data, draw) {
  const print = JSON.stringify(data);
  if (drawn.get(name)?.print !== print) drawn.set(name, { print, node: draw() });
  return drawn.get(name).node;
}

function rowSelector(row) {
  const key = ["data-app", "data-peer", "data-channel"].find((name) => row.hasAttribute(name));
  return key ? `[${key}="${CSS.escape(row.getAttribute(key))}"]` : null;
}

function header() {
  return el("header", { class: "team" }, el("h1", {}, store.team.name || "Workspace"), actingAs());
}

function actingAs() {
  const options = people().map((user) => el("option", { value: user.id, selected: user.id === store.me.id }, actorName(user)));
  return el("label", { class: "acting" }, el("span", {}, "Act as"),
    el("select", { id: "act-as", "aria-label": "Act as", on: { change: (event) => emit("act-as", event.target.value) } }, options));
}

function actorName(user) {
  const roles = [user.is_owner && "owner", !user.is_owner && user.is_admin && "admin"].filter(Boolean);
  return `${user.real_name || user.name}${roles.length ? ` (${roles[0]})` : ""}`;
}

function nav() {
  const channels = [...store.channels.values()];
  const rooms = channels.filter((channel) => channel.kind !== "im").sort((a, b) => a.name.localeCompare(b.name));
  return el("nav", { "aria-label": "Channels" },
    group("Channels", rooms.map(roomRow)),
    group("Direct messages", people().map(personRow)),
    group("Apps", appRows(channels)));
}

function group(title, rows) {
  return rows.length ? el("section", { class: "side-group" }, el("h2", {}, title), el("ul", {}, rows)) : null;
}

function row({ mark, title, channel, current, attributes, open }) {
  const unread = !current && channel?.unread > 0;
  const mentions = current ? 0 : channel?.mentions ?? 0;
  const badge = mentions > 0 && el("span", { class: "count", "aria-label": `${mentions} mentions` }, String(mentions));
  return el("li", {}, el("button", {
    type: "button", class: `side-row${unread ? " unread" : ""}${current ? " current" : ""}`, "aria-current": current ? "page" : null,
    "data-unread": unread ? String(channel.unread) : null, ...attributes, on: { click: open },
  }, mark, el("span", { class: "side-title" }, title), badge));
}

function roomRow(channel) {
  return row({
    mark: icon(channel.kind === "private" ? "lock" : "hash"), title: channel.name, channel, current: isHere("channel", channel.id),
    attributes: { "data-channel": channel.id, "data-channel-name": channel.name }, open: () => emit("go", { kind: "channel", id: channel.id }),
  });
}

function personRow(user) {
  const channel = directChannel(user.id);
  const own = user.id === store.me.id;
  const counted = channel && { ...channel, mentions: channel.unread };
  return row({
    mark: avatar(user.id, user.real_name || user.name, false, "tiny"), title: `${user.real_name || user.name}${own ? " (you)" : ""}`, channel: counted,
    current: Boolean(channel) && isHere("channel", channel.id), attributes: { "data-peer": user.id, "data-channel": channel?.id }, open: () => emit("direct", user.id),
  });
}

function appRows(channels) {
  const apps = store.apps.map((app) => appRow(app, directChannel(app.bot_user_id)));
  const known = new Set(store.apps.map((app) => app.bot_user_id));
  const strays = channels.filter((channel) => channel.kind === "im" && isBotUser(channel.peer) && !known.has(channel.peer));
  return [...apps, ...strays.map((channel) => roomRow({ ...channel, name: channelTitle(channel) }))];
}

function appRow(app, channel) {
  const current = isHere("home", app.app_id) || (Boolean(channel) && isHere("channel", channel.id));
  const counted = channel && { ...channel, mentions: channel.unread };
  const unread = channel?.unread > 0;
  return row({
    mark: avatar(app.bot_user_id, app.name, true, "tiny"), title: app.name, channel: counted, current,
    attributes: { "data-app": app.app_id, "data-channel": channel?.id },
    open: () => (unread || app.has_home === false ? emit("direct", app.bot_user_id) : emit("go", { kind: "home", id: app.app_id })),
  });
}

function isHere(kind, id) {
  return store.place.kind === kind && store.place.id === id;
}

function footer() {
  return el("footer", { class: "side-foot" }, "A local stand-in for Slack. Nothing leaves this machine.");
}
