// Owns: every request to the server and the live socket with its reconnecting. It knows no drawing.

const FIRST_WAIT_MS = 300;
const LONGEST_WAIT_MS = 5000;

async function ask(path, options) {
  try {
    const response = await fetch(path, options);
    const body = await response.json();
    return body.ok === undefined ? { ok: response.ok, ...body } : body;
  } catch (problem) {
    return { ok: false, error: "unreachable", detail: String(problem) };
  }
}

function get(path, query) {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
  return ask(`${path}?${new URLSearchParams(pairs)}`);
}

function post(path, body) {
  return ask(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
}

export const wire = {
  boot: (user) => get("/_page/boot", { user }),
  messages: (user, channel, thread) => get("/_page/messages", { user, channel, thread_ts: thread }),
  read: (user, channel, ts) => post("/_page/read", { user, channel, ts }),
  join: (user, channel) => post("/_play/join", { user, channel }),
  say: (body) => post("/_play/say", body),
  command: (body) => post("/_play/command", body),
  press: (body) => post("/_play/press", body),
  submit: (body) => post("/_play/submit", body),
  close: (body) => post("/_play/close", body),
  home: (user, app) => post("/_play/home", { user, app_id: app }),
  views: (user) => get("/_play/views", { user }),
  options: (query) => get("/_play/options", query),
  faults: () => get("/_play/faults", {}),
  clearFaults: () => ask("/_play/faults", { method: "DELETE" }),
};

/** One socket per acting user; calls `onEvent` per message and `onState(true|false)` as the line opens and drops. */
export class Line {
  constructor(user, { onEvent, onState }) {
    this.user = user;
    this.onEvent = onEvent;
    this.onState = onState;
    this.wait = FIRST_WAIT_MS;
    this.closed = false;
    this.connect();
  }

  connect() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    this.socket = new WebSocket(`${scheme}://${location.host}/_page/ws?user=${encodeURIComponent(this.user)}`);
    this.socket.addEventListener("open", () => this.opened());
    this.socket.addEventListener("message", (event) => this.heard(event.data));
    this.socket.addEventListener("close", () => this.dropped());
  }

  opened() {
    if (this.closed) return this.socket.close();
    this.wait = FIRST_WAIT_MS;
    this.onState(true);
  }

  heard(data) {
    if (!this.closed) this.onEvent(JSON.parse(data));
  }

  dropped() {
    if (this.closed) return;
    this.onState(false);
    setTimeout(() => this.closed || this.connect(), this.wait);
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT_MS);
  }

  close() {
    this.closed = true;
    this.socket.close();
  }
}
