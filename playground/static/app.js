// Owns: starting the page, where one is (user, channel, thread, Home), and handing live events to the parts.

import { drawBlocks } from "./blocks.js";
import { Composer } from "./composer.js";
import { el, reconcile } from "./dom.js";
import { drawFaults } from "./faults.js";
import { drawHeading, drawJoin, drawTitle, hereChannel, maySpeak, placeName } from "./heading.js";
import { ModalStack } from "./modal.js";
import { drawSidebar } from "./sidebar.js";
import { acceptBoot, acceptChannels, appById, directChannel, forget, isReply, keep, messagesOf, on, store, timeline } from "./store.js";
import { Surface } from "./surface.js";
import { Timeline } from "./timeline.js";
import { Line, wire } from "./wire.js";

const REFRESH_PAUSE_MS = 120;
const TROUBLE_SHOWN_MS = 6000;
const $ = (id) => document.getElementById(id);

const parts = {};
let line = null;
let noticeNumber = 0;
let homesDrawn = 0;
const timers = new Map();

/** Run `task` once after a short pause, however often it is asked for meanwhile. */
function soon(name, task, pause = REFRESH_PAUSE_MS) {
  clearTimeout(timers.get(name));
  timers.set(name, setTimeout(task, pause));
}

// -- starting -----------------------------------------------------------------------------------------

async function start() {
  parts.timeline = new Timeline($("messages"));
  parts.thread = new Timeline($("thread-messages"), { inThread: true });
  parts.composer = new Composer($("composer"), { label: "Message" });
  parts.threadComposer = new Composer($("thread-composer"), { label: "Reply", threadOf: () => store.place.thread });
  parts.threadComposer.placeholder = "Reply…";
  parts.modals = new ModalStack();
  document.addEventListener("click", clicked);
  document.addEventListener("keydown", escaped);
  document.addEventListener("visibilitychange", () => markRead());
  const asked = new URLSearchParams(location.search);
  await actAs(asked.get("user") ?? localStorage.getItem("playground.user") ?? undefined, asked);
}

async function actAs(user, asked = new URLSearchParams()) {
  const boot = await bootFor(user);
  if (!boot.ok) return trouble("The local Slack does not answer. Reload the page when it runs again.", false);
  line?.close();
  acceptBoot(boot);
  store.timelines.clear();
  store.unreadAt.clear();
  document.documentElement.lang = store.me.locale ?? "en";
  localStorage.setItem("playground.user", store.me.id);
  line = new Line(store.me.id, { onEvent: heard, onState: lineState });
  await go({ ...wantedPlace(asked), thread: asked.get("thread") ?? asked.get("thread_ts") });
  pointAt(asked.get("ts"));
  return restoreViews();
}

/** Show the message that a permalink names. */
function pointAt(ts) {
  const message = ts && document.querySelector(`[data-ts="${CSS.escape(ts)}"]`);
  message?.scrollIntoView({ block: "center" });
  message?.classList.add("pointed");
}

async function bootFor(user) {
  const boot = await wire.boot(user);
  if (boot.ok || !user) return boot;
  return wire.boot(undefined);
}

function wantedPlace(asked) {
  const wanted = asked.get("channel") ?? localStorage.getItem(`playground.place.${store.me.id}`);
  if (appById(wanted)) return { kind: "home", id: wanted };
  const byName = [...store.channels.values()].find((channel) => channel.name && channel.name === wanted?.replace(/^#/, ""));
  const channel = store.channels.get(wanted) ?? byName ?? [...store.channels.values()].find((item) => item.kind !== "im") ?? [...store.channels.values()][0];
  return { kind: "channel", id: channel?.id ?? null };
}

async function restoreViews() {
  const answer = await wire.views(store.me.id);
  parts.modals.restore((answer.views ?? []).filter((view) => view.type === "modal"));
}

// -- places -------------------------------------------------------------------------------------------

async function go(place) {
  store.place = { thread: null, ...place };
  const channel = place.kind === "channel" ? store.channels.get(place.id) : null;
  if (channel) store.unreadAt.set(channel.id, channel.unread ?? 0);
  document.body.classList.remove("sidebar-open");
  rememberPlace();
  $("home").replaceChildren();
  drawFrame();
  parts.timeline.show(channel?.id ?? null, null);
  parts.composer.clear();
  if (place.kind === "home") await openHome(place.id);
  else if (channel) await loadChannel(channel.id);
  await showThread(store.place.thread);
  if (matchMedia("(hover: hover)").matches) parts.composer.focus();
}

function rememberPlace() {
  const { id, thread } = store.place;
  const query = new URLSearchParams({ user: store.me.id, ...(id ? { channel: id } : {}), ...(thread ? { thread } : {}) });
  history.replaceState(null, "", `?${query}`);
  if (id) localStorage.setItem(`playground.place.${store.me.id}`, id);
}

async function loadChannel(channel) {
  const notices = [...timeline(channel).values()].filter((message) => message.local);
  const answer = await wire.messages(store.me.id, channel);
  if (!answer.ok) return trouble(`The messages could not be read: ${answer.error}.`);
  timeline(channel).clear();
  for (const message of [...(answer.messages ?? []), ...notices]) keep(channel, message);
  if (store.place.thread) await loadThread(channel, store.place.thread);
  drawTimelines();
  return markRead();
}

async function loadThread(channel, thread) {
  const answer = await wire.messages(store.me.id, channel, thread);
  for (const message of answer.messages ?? []) {
    const known = timeline(channel).get(message.ts);
    keep(channel, isReply(message) ? message : { ...known, ...message });
  }
}

async function showThread(thread) {
  store.place.thread = thread;
  rememberPlace();
  $("thread").hidden = !thread;
  document.body.classList.toggle("thread-open", Boolean(thread));
  parts.thread.show(thread ? store.place.id : null, thread);
  if (!thread) return;
  await loadThread(store.place.id, thread);
  drawTimelines();
}

/** A conversation that does not exist yet has no id; the first message makes it. */
function goDirect(peer) {
  return go({ kind: "channel", id: directChannel(peer)?.id ?? null, peer });
}

async function opened(channel) {
  await refreshBoot();
  return go({ kind: "channel", id: channel });
}

async function openHome(app) {
  const before = homesDrawn;
  const answer = await wire.home(store.me.id, app);
  if (homesDrawn === before) drawHome(app, answer.view); // else the app published a newer one meanwhile
}

function drawHome(app, view) {
  if (store.place.kind !== "home" || store.place.id !== app) return;
  homesDrawn += 1;
  parts.home = view && parts.home?.address.view_id === view.id ? parts.home : view && new Surface("home", { view_id: view.id }, view.state?.values);
  parts.home?.prune(view.blocks);
  const content = view ? drawBlocks(view.blocks, parts.home) : el("div", { class: "empty" }, "This app has not put anything on its Home tab yet.");
  reconcile($("home"), [el("div", { class: "home-blocks", "data-view-id": view?.id }, content)]);
}

function markRead() {
  const { kind, id } = store.place;
  const last = kind === "channel" && document.visibilityState === "visible" ? messagesOf(id).filter((message) => !message.ephemeral).at(-1) : null;
  const channel = store.channels.get(id);
  if (!last || !channel) return;
  Object.assign(channel, { unread: 0, mentions: 0 });
  soon("read", () => wire.read(store.me.id, id, last.ts));
  drawSidebar($("sidebar"));
  drawTitle();
}

// -- drawing ------------------------------------------------------------------------------------------

function drawFrame() {
  drawSidebar($("sidebar"));
  $("home").hidden = store.place.kind !== "home";
  $("messages").hidden = !hereChannel();
  $("composer").hidden = !maySpeak();
  drawHeading($("place"), () => document.body.classList.toggle("sidebar-open"));
  drawJoin($("join"));
  parts.composer.placeholder = `Message ${placeName()}`;
}

function drawTimelines() {
  parts.timeline.render();
  parts.thread.render();
}

function trouble(text, passing = true) {
  $("trouble").textContent = text;
  $("trouble").hidden = !text;
  if (passing) soon("trouble", () => { $("trouble").hidden = true; }, TROUBLE_SHOWN_MS);
}

// -- live events --------------------------------------------------------------------------------------

const EVENTS = {
  message: ({ channel, message }) => received(channel, message),
  message_changed: ({ channel, message }) => received(channel, message),
  ephemeral: ({ channel, message }) => received(channel, { ...message, ephemeral: true }),
  ephemeral_changed: ({ channel, message }) => received(channel, { ...message, ephemeral: true }),
  message_deleted: ({ channel, ts }) => deleted(channel, ts),
  channel: ({ channels }) => (channels ? newChannels(channels) : soon("boot", refreshBoot)),
  user_changed: () => soon("boot", refreshBoot),
  view_opened: ({ view }) => parts.modals.opened(view),
  view_pushed: ({ view }) => parts.modals.pushed(view),
  view_updated: ({ view }) => (view.type === "home" ? drawHome(view.app_id, view) : parts.modals.updated(view)),
  view_closed: (data) => parts.modals.closed(data),
  home: ({ app_id: app, view }) => drawHome(app ?? view.app_id, view),
  faults: () => soon("faults", () => drawFaults($("faults"))),
};

function heard(event) {
  EVENTS[event.type]?.(event);
}

function received(channel, message) {
  const here = store.place.kind === "channel" && store.place.id === channel;
  const known = timeline(channel).get(message.ts);
  keep(channel, known && !known.ephemeral ? { reply_count: known.reply_count, reply_users: known.reply_users, latest_reply: known.latest_reply, ...message } : message);
  if (!here) return soon("boot", refreshBoot);
  if (isReply(message) && !message.ephemeral) soon(`load ${channel}`, () => loadChannel(channel));
  drawTimelines();
  return markRead();
}

function deleted(channel, ts) {
  const gone = timeline(channel).get(ts);
  forget(channel, ts);
  if (gone && isReply(gone)) soon(`load ${channel}`, () => loadChannel(channel));
  drawTimelines();
}

async function refreshBoot() {
  const boot = await wire.boot(store.me.id);
  if (!boot.ok) return boot.error === "unreachable" ? undefined : location.assign("/"); // another workspace runs here now
  const { id } = store.me;
  acceptBoot(boot);
  if (store.me?.id === id) newChannels([...store.channels.values()]);
}

function newChannels(channels) {
  acceptChannels(channels);
  const here = store.channels.get(store.place.id);
  if (here && document.visibilityState === "visible") Object.assign(here, { unread: 0, mentions: 0 });
  drawFrame();
}

/** After a dropped line nothing is known of what happened meanwhile: read everything again. */
async function lineState(up) {
  const was = $("offline").hidden;
  $("offline").hidden = up;
  if (up) drawFaults($("faults"));
  if (!up || was) return;
  await refreshBoot();
  if (store.place.kind === "home") await openHome(store.place.id);
  else if (store.place.id) await loadChannel(store.place.id);
  await restoreViews();
}

on("act-as", (user) => actAs(user, new URLSearchParams(isShared(store.place.id) ? { channel: store.place.id } : {})));
on("go", go);
on("direct", goDirect);
on("opened", opened);
on("trouble", trouble);
on("dismiss", ({ channel, ts }) => deleted(channel, ts));
on("press-failed", ({ surface, error }) => {
  if (surface.kind === "modal") parts.modals.pressFailed(surface);
  if (error === "unreachable") trouble("The local Slack does not answer. Is it still running?");
});
on("notice", ({ channel, text, thread_ts }) => {
  noticeNumber += 1;
  const ts = ((Date.now() + store.clockOffset) / 1000 + noticeNumber * 1e-6).toFixed(6);
  received(channel, { ts, thread_ts, text, ephemeral: true, notice: true, local: true });
});

/** Places that another person may see too: a change of person stays there. */
function isShared(place) {
  const channel = store.channels.get(place);
  return channel ? channel.kind !== "im" : Boolean(appById(place));
}

// -- clicks and keys ----------------------------------------------------------------------------------

function clicked(event) {
  const opener = event.target.closest("[data-open-thread]");
  const room = event.target.closest("[data-open-channel]");
  if (opener) showThread(opener.dataset.openThread);
  if (event.target.closest("#thread-close")) showThread(null);
  if (event.target.id === "shade") document.body.classList.remove("sidebar-open");
  if (!room) return;
  event.preventDefault();
  if (store.channels.has(room.dataset.openChannel)) go({ kind: "channel", id: room.dataset.openChannel });
}

function escaped(event) {
  if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("[aria-modal]")) return;
  if (document.body.classList.contains("sidebar-open")) document.body.classList.remove("sidebar-open");
  else if (store.place.thread) showThread(null);
}

start();
