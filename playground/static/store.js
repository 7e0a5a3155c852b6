// Owns: what the page knows (who acts, people, channels, apps, loaded messages) and who wants to hear of changes.
// It never talks to the server and never draws.

export const store = {
  team: { name: "" },
  me: null,
  users: new Map(),
  channels: new Map(),
  apps: [],
  clockOffset: 0, // ms the server's clock is ahead of the browser's
  place: { kind: "channel", id: null, thread: null }, // kind "channel" (id C…/D…) or "home" (id A…)
  unreadAt: new Map(), // channel id -> unread count when it was opened, for the "New" line
  timelines: new Map(), // channel id -> messages by ts
};

const listeners = new Map();

export function on(topic, handler) {
  listeners.set(topic, [...(listeners.get(topic) ?? []), handler]);
}

export function emit(topic, data) {
  for (const handler of listeners.get(topic) ?? []) handler(data);
}

export function acceptBoot(boot) {
  store.team = boot.team ?? store.team;
  store.users = byId(boot.users ?? []);
  store.channels = byId(boot.channels ?? []);
  store.apps = boot.apps ?? [];
  store.me = store.users.get(boot.me?.id ?? boot.me) ?? boot.me;
  store.clockOffset = boot.now ? boot.now * 1000 - Date.now() : 0;
}

export function acceptChannels(channels) {
  store.channels = byId(channels);
}

function byId(items) {
  return new Map(items.map((item) => [item.id, item]));
}

export function userName(id) {
  const user = store.users.get(id);
  return user ? user.display_name || user.real_name || user.name : appOfBot(id)?.name ?? id;
}

export function appOfBot(userId) {
  return store.apps.find((app) => app.bot_user_id === userId);
}

export function appById(id) {
  return store.apps.find((app) => app.app_id === id);
}

export function isBotUser(id) {
  return Boolean(store.users.get(id)?.is_bot || appOfBot(id));
}

export function channelTitle(channel) {
  if (!channel) return "";
  return channel.kind === "im" ? userName(channel.peer) : channel.name;
}

export function directChannel(peer) {
  return [...store.channels.values()].find((channel) => channel.kind === "im" && channel.peer === peer);
}

export function people() {
  return [...store.users.values()].filter((user) => !isBotUser(user.id));
}

export function timeline(channel) {
  if (!store.timelines.has(channel)) store.timelines.set(channel, new Map());
  return store.timelines.get(channel);
}

/** All messages of a channel (or of one thread of it), oldest first. */
export function messagesOf(channel, thread = null) {
  const all = [...timeline(channel).values()].sort((a, b) => Number(a.ts) - Number(b.ts));
  if (thread) return all.filter((message) => message.ts === thread || message.thread_ts === thread);
  return all.filter((message) => !isReply(message) || message.subtype === "thread_broadcast");
}

export function isReply(message) {
  return Boolean(message.thread_ts) && message.thread_ts !== message.ts;
}

export function keep(channel, message) {
  timeline(channel).set(message.ts, message);
}

export function forget(channel, ts) {
  timeline(channel).delete(ts);
}
