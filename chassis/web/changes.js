// Shows the changes of all services as they happen.
// EventSource cannot send a token, so the stream is read with fetch; what EventSource does by itself is done here:
// come back after a pause with the last id. The token stays in the field: it is neither stored nor put into an address.
"use strict";

const STREAM = "/v1/changes/stream";
const KEPT_ROWS = 500;
const LONGEST_PAUSE_MS = 30_000;
const SILENCE_MS = 45_000; // the server says something every 15 seconds
const SERVICES = { plans: "Kế hoạch", indicators: "Chỉ tiêu", budget: "Kinh phí" };
const TIME = new Intl.DateTimeFormat("vi-VN", { dateStyle: "short", timeStyle: "medium", timeZone: "Asia/Ho_Chi_Minh" });
const titles = new Map();

const found = (id) => document.getElementById(id);

function made(name, text = "") {
  const element = document.createElement(name);
  element.textContent = text;
  return element;
}

const sleep = (milliseconds, signal) =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });

// The events of a stream; one that was cut short counts for nothing.
async function* eventsOf(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let held = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) {
      return;
    }
    const frames = (held + value).split("\n\n");
    held = frames.pop();
    for (const frame of frames) {
      yield Object.fromEntries(frame.split("\n").map((line) => line.split(/: ?(.*)/s, 2)));
    }
  }
}

// Follows the stream until it is stopped or refused, coming back with the last id whenever it ends.
class Follower {
  constructor(asked, token, screen) {
    this.asked = asked;
    this.token = token;
    this.screen = screen;
    this.stopping = new AbortController();
    this.lastId = null;
    this.retryMs = 2000;
    this.pauseMs = 0;
  }

  stop() {
    this.stopping.abort();
  }

  async run() {
    const { signal } = this.stopping;
    let times = 0;
    while (!signal.aborted) {
      this.screen.connecting(times);
      const isRefused = await this.connect().catch(() => false);
      if (isRefused || signal.aborted) {
        return;
      }
      times += 1;
      this.pauseMs = Math.max(this.retryMs, Math.min(this.pauseMs * 2, LONGEST_PAUSE_MS));
      this.screen.waiting(this.pauseMs, times);
      await sleep(this.pauseMs, signal);
    }
  }

  // One connection, from its beginning to its end; answers whether to come back is useless.
  async connect() {
    const connection = new AbortController();
    const end = () => connection.abort();
    this.stopping.signal.addEventListener("abort", end);
    let watch = setTimeout(end, SILENCE_MS);
    try {
      const response = await fetch(`${STREAM}?${this.asked}`, {
        headers: this.headers(),
        signal: connection.signal,
        cache: "no-store",
      });
      if (!response.ok) {
        return await this.refused(response);
      }
      this.pauseMs = 0;
      this.screen.listening();
      for await (const event of eventsOf(response.body)) {
        clearTimeout(watch);
        watch = setTimeout(end, SILENCE_MS);
        if (this.hear(event)) {
          return true;
        }
      }
      return false;
    } finally {
      clearTimeout(watch);
      this.stopping.signal.removeEventListener("abort", end);
      end();
    }
  }

  headers() {
    return {
      Accept: "text/event-stream",
      "Accept-Language": "vi",
      ...(this.token && { Authorization: `Bearer ${this.token}` }),
      ...(this.lastId && { "Last-Event-ID": this.lastId }),
    };
  }

  async refused(response) {
    const problem = await response.json().catch(() => ({}));
    const isPassing = response.status === 429 || response.status >= 500;
    if (isPassing) {
      this.retryMs = Number(response.headers.get("Retry-After") ?? 2) * 1000;
      this.screen.note(problem.detail ?? `HTTP ${response.status}`);
    } else {
      this.screen.refused(problem, response.status);
    }
    return !isPassing;
  }

  // Answers whether it was the last word.
  hear({ id, event, data, retry }) {
    if (retry) {
      this.retryMs = Number(retry);
    }
    if (event === "error") {
      this.screen.refused(JSON.parse(data));
      return true;
    }
    if (event === "unreachable") {
      this.screen.away(JSON.parse(data).services);
    } else if (data) {
      this.screen.show(JSON.parse(data));
    }
    this.lastId = id ?? this.lastId;
    return false;
  }
}

// What a person sees.
class Screen {
  constructor() {
    this.rows = found("changes");
    this.held = null;
    this.heard = 0;
    this.reconnects = 0;
  }

  state(name, words) {
    const status = found("status");
    status.dataset.state = name;
    status.dataset.heard = this.heard;
    status.dataset.reconnects = this.reconnects;
    status.textContent = words;
  }

  note(words) {
    const note = found("note");
    note.textContent = words ?? "";
    note.hidden = !words;
  }

  connecting(times) {
    this.reconnects = times;
    this.state("connecting", times ? `Đang nối lại, lần ${times}…` : "Đang nối…");
  }

  listening() {
    this.note();
    this.count();
  }

  count() {
    const again = this.reconnects ? ` Đã nối lại ${this.reconnects} lần.` : "";
    const held = this.held?.length ? ` Đang giữ ${this.held.length} thay đổi.` : "";
    this.state("listening", `Đang theo dõi. Đã nghe ${this.heard} thay đổi.${again}${held}`);
  }

  waiting(milliseconds, times) {
    this.state("connecting", `Mất kết nối; nối lại sau ${Math.round(milliseconds / 1000)} giây (lần ${times}).`);
  }

  refused(problem, status) {
    const service = problem.service ? `${SERVICES[problem.service]}: ` : "";
    this.state("refused", `Dừng: ${service}${problem.detail ?? status}`);
    this.note(problem.status === 410 ? "Bấm «Theo dõi» để nghe từ bây giờ; đọc lại danh sách nếu cần đủ." : undefined);
    ended();
  }

  away(services) {
    const names = services.map((name) => SERVICES[name]).join(", ");
    this.note(services.length ? `Tạm thời không hỏi được: ${names}. Sẽ đủ khi dịch vụ trở lại.` : undefined);
  }

  show(change) {
    this.heard += 1;
    if (this.held) {
      this.held = [...this.held.slice(1 - KEPT_ROWS), change];
    } else {
      this.add(change);
    }
    this.count();
  }

  add(change) {
    const row = made("tr");
    row.dataset.id = change.id;
    const time = made("time", TIME.format(new Date(change.time)));
    time.dateTime = change.time;
    const service = change.source.split("/").pop();
    const work = made("td", titles.get(change.type) ?? change.type);
    work.title = change.type;
    const details = made("details");
    details.append(made("summary", `số ${Number(change.sequence)}`), made("pre", JSON.stringify(change.data, null, 2)));
    row.append(made("td"), made("td", SERVICES[service] ?? service), work, made("td", change.subject), made("td"));
    row.firstChild.append(time);
    row.lastChild.append(details);
    this.rows.prepend(row);
    while (this.rows.childElementCount > KEPT_ROWS) {
      this.rows.lastElementChild.remove();
    }
  }

  pause(isPaused) {
    for (const change of this.held ?? []) {
      this.add(change);
    }
    this.held = isPaused ? [] : null;
    this.count();
  }
}

const form = found("asked");
let screen = new Screen();
let follower = null;

function asked() {
  const values = new FormData(form);
  const parts = ["province", "commune", "types"].map((name) => [name, values.get(name).replaceAll(/\s/g, "")]);
  const services = values.getAll("services");
  return new URLSearchParams([["services", services.join(",")], ...parts].filter(([, value]) => value));
}

function ended() {
  follower?.stop();
  follower = null;
  found("stop").disabled = true;
  found("pause").disabled = true;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  ended();
  const token = form.elements.token.value.trim().replace(/^Bearer\s+/i, "");
  history.replaceState(null, "", `?${asked()}`); // an address to share; the token is not in it
  screen = new Screen();
  found("pause").setAttribute("aria-pressed", "false");
  found("stop").disabled = false;
  found("pause").disabled = false;
  if (/[^\x21-\x7e]/.test(token)) {
    screen.refused({ detail: "Mã truy cập có ký tự lạ; hãy chép lại." });
    return;
  }
  follower = new Follower(asked(), token, screen);
  follower.run();
});

found("stop").addEventListener("click", () => {
  ended();
  screen.state("idle", `Đã dừng. Đã nghe ${screen.heard} thay đổi.`);
});

found("pause").addEventListener("click", ({ currentTarget }) => {
  const isPaused = currentTarget.getAttribute("aria-pressed") !== "true";
  currentTarget.setAttribute("aria-pressed", String(isPaused));
  screen.pause(isPaused);
});

found("clear").addEventListener("click", () => screen.rows.replaceChildren());

// The kinds of events and their titles, from the document the house keeps of them.
async function readTitles() {
  const document_ = await (await fetch("/docs/events/asyncapi.json")).json();
  for (const [name, message] of Object.entries(document_.components.messages)) {
    const title = message["x-chitieu"]?.title?.vi;
    if (title) {
      titles.set(name, title);
      form.elements.types.append(new Option(title, name));
    }
  }
}

async function begin() {
  const given = new URLSearchParams(location.search);
  await readTitles().catch(() => {}); // without it types are shown by their names
  for (const name of ["province", "commune", "types"]) {
    form.elements[name].value = given.get(name) ?? "";
  }
  if (given.has("services")) {
    const services = given.get("services").split(",");
    form.querySelectorAll("[name=services]").forEach((box) => (box.checked = services.includes(box.value)));
  }
  screen.state("idle", "Chọn rồi bấm «Theo dõi».");
}

begin();
