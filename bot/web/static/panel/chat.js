// The conversation with the server: a token, an outbox that loses nothing, and the stream of what is said.

/** @typedef {"offline" | "away" | "too_many" | ""} Trouble */
/** @typedef {{ id: string, text: string, choice?: string, at: string }} Pending */
/** @typedef {{ key: string, token: string, renew: number, expires: number }} Session */

/**
 * @typedef {object} Handlers
 * @property {(messages: Message[], live: boolean) => void} said what was said; not live when it was said before
 * @property {(pending: Pending) => void} waiting something that is not sent yet
 * @property {(id: string, choice: boolean) => void} refused something that never will be
 * @property {(busy: boolean) => void} busy whether a reply is being waited for
 * @property {(trouble: Trouble) => void} trouble what is in the way
 * @property {() => void} fresh another conversation has begun, and this one is to disappear
 * @property {() => void} parted another conversation has begun, after this one's time was over
 */

const SESSION = "stipple.session";
// Each message waits under a name of its own: a list could not be changed by two tabs at once.
const OUTBOX = "stipple.outbox.";
const PATIENCE = 15_000;
// The server gives a sign of life every 15 seconds.
const SILENCE = 40_000;
const HIDDEN_FOR = 20_000;
const LONGEST_WAIT = 20_000;

/** Keeps a few values for the next page and the next tab; only for this page where the browser does not let more be kept. */
class Store {
  /** @type {Map<string, unknown>} */
  #own = new Map();

  /** @param {string} name @returns {any} */
  get(name) {
    if (this.#own.has(name)) return this.#own.get(name);
    try {
      return JSON.parse(localStorage.getItem(name) ?? "null");
    } catch {
      return null;
    }
  }

  /** @param {string} prefix @returns {any[]} all values whose names begin with it */
  all(prefix) {
    let names = [...this.#own.keys()];
    try {
      names = names.concat(Object.keys(localStorage));
    } catch {
      // There are those of this page alone.
    }
    return names.filter((name) => name.startsWith(prefix)).map((name) => this.get(name));
  }

  /** @param {string} name @param {unknown} value null to forget it */
  set(name, value) {
    this.#own.delete(name);
    try {
      if (value === null) localStorage.removeItem(name);
      else localStorage.setItem(name, JSON.stringify(value));
    } catch {
      if (value !== null) this.#own.set(name, value);
    }
  }
}

/** An answer of the server that is not the one hoped for. */
class Refusal extends Error {
  /** @param {Response} response */
  constructor(response) {
    super(`${response.status}`);
    this.status = response.status;
    this.wait = Number(response.headers.get("Retry-After")) * 1000;
  }
}

export class Chat {
  #store = new Store();
  #handlers;
  /** @type {Set<string>} */
  #known = new Set();
  #cursor = "";
  // Whether all that was said before this page has come, so that what comes now is news.
  #live = false;
  #sending = false;
  #following = false;
  #troubles = { send: /** @type {Trouble} */ (""), follow: /** @type {Trouble} */ ("") };
  /** @type {AbortController | undefined} */
  #stream;
  /** @type {Set<() => void>} */
  #sleepers = new Set();
  #key = "";
  #hiddenFor = 0;

  /** @param {Handlers} handlers */
  constructor(handlers) {
    this.#handlers = handlers;
  }

  /** Takes up what an earlier page or another tab began. */
  start() {
    addEventListener("online", () => {
      this.#trouble("follow", "");
      this.retry();
    });
    addEventListener("offline", () => {
      this.#stream?.abort();
      this.#trouble("follow", "offline");
    });
    addEventListener("storage", (event) => event.key === SESSION && this.#changedElsewhere());
    document.addEventListener("visibilitychange", () => this.#visibility());
    if (!navigator.onLine) this.#trouble("follow", "offline");
    const session = this.#session();
    this.#key = session?.key ?? "";
    for (const pending of this.#outbox()) this.#handlers.waiting(pending);
    if (session) this.#follow();
    this.#send();
  }

  /** @param {string} text @param {string} [choice] the id of a choice that was offered, whose title is the text */
  say(text, choice) {
    /** @type {Pending} */
    const pending = { id: unique(), text, at: new Date().toISOString() };
    if (choice) pending.choice = choice;
    this.#store.set(OUTBOX + pending.id, pending);
    this.#handlers.waiting(pending);
    this.#send();
  }

  /** Tries again at once what waits for its next attempt. */
  retry() {
    for (const wake of [...this.#sleepers]) wake();
    if (this.#session()) this.#follow();
    this.#send();
  }

  startOver() {
    for (const { id } of this.#outbox()) this.#done(id);
    this.#store.set(SESSION, null);
    this.#forget("");
  }

  /** @param {string} key */
  #forget(key) {
    this.#begin(key, false);
    this.#stream?.abort();
    this.#trouble("send", "");
    this.#handlers.fresh();
  }

  /** @param {string} key @param {boolean} live whether nothing was said in it yet */
  #begin(key, live) {
    this.#key = key;
    this.#live = live;
    this.#known.clear();
    this.#cursor = "";
  }

  // Another tab began a conversation, or began one anew.
  #changedElsewhere() {
    const key = this.#session()?.key ?? "";
    if (key === this.#key) return;
    if (this.#key) this.#forget(key);
    this.#key = key;
    if (key) this.#follow();
  }

  #visibility() {
    clearTimeout(this.#hiddenFor);
    if (document.visibilityState === "visible") this.retry();
    // Browsers allow a website six connections in all: tabs that nobody looks at give theirs back.
    else this.#hiddenFor = setTimeout(() => this.#stream?.abort(), HIDDEN_FOR);
  }

  /** @returns {Pending[]} what waits to be sent, in the order in which it was written */
  #outbox() {
    const kept = this.#store.all(OUTBOX).filter((pending) => pending?.id && pending.at);
    return kept.sort((one, other) => Date.parse(one.at) - Date.parse(other.at));
  }

  /** @param {string} id */
  #done(id) {
    this.#store.set(OUTBOX + id, null);
  }

  /** @returns {Session | null} */
  #session() {
    const kept = this.#store.get(SESSION);
    return kept?.token && kept.expires > Date.now() ? kept : null;
  }

  /** The token to use; a new one when there is none, a renewed one when half of its time is over. */
  async #token() {
    const kept = this.#session();
    if (kept && kept.renew > Date.now()) return kept.token;
    return alone("stipple.token", async () => {
      const session = this.#session();
      if (session && session.renew > Date.now()) return session.token;
      const fresh = session ? await this.#renew(session) : await post("chat/sessions", {});
      const now = Date.now();
      const life = fresh.expires_in * 1000;
      const key = session && fresh.renewed ? session.key : unique();
      this.#store.set(SESSION, { key, token: fresh.token, renew: now + life / 2, expires: now + life });
      if (this.#key !== key) {
        this.#handlers.parted();
        this.#begin(key, true);
      }
      return /** @type {string} */ (fresh.token);
    });
  }

  /** @param {Session} session */
  async #renew(session) {
    try {
      return { ...(await post("chat/sessions/renew", {}, session.token)), renewed: true };
    } catch (error) {
      if (error instanceof Refusal && error.status === 401) return post("chat/sessions", {});
      throw error;
    }
  }

  /** @param {string} token one that the server does not accept */
  #refuse(token) {
    if (this.#session()?.token === token) this.#store.set(SESSION, null);
  }

  async #send() {
    if (this.#sending) return;
    this.#sending = true;
    let failures = 0;
    for (let pending = this.#outbox()[0]; pending; pending = this.#outbox()[0]) {
      const wait = await this.#post(pending, failures);
      if (wait === undefined) {
        failures = 0;
      } else {
        failures += 1;
        this.#handlers.busy(false);
        await this.#sleep(wait);
      }
    }
    this.#sending = false;
    this.#handlers.busy(false);
  }

  /**
   * Sends a message; nothing when that is settled, else for how long to wait before the next attempt.
   *
   * @param {Pending} pending
   * @param {number} failures
   */
  async #post(pending, failures) {
    let token = "";
    try {
      this.#handlers.busy(true);
      await alone("stipple.send", async () => {
        // Another tab may have sent it meanwhile.
        if (!this.#outbox().some(({ id }) => id === pending.id)) return;
        token = await this.#token();
        const key = this.#key;
        const content = pending.choice ? { choice: pending.choice } : { text: pending.text };
        const reply = await post("chat/messages", { id: pending.id, ...content }, token);
        this.#done(pending.id);
        if (key !== this.#key) return;
        const own = { id: `${reply.turn}.0`, author: "visitor", turn: reply.turn, index: 0, at: reply.at, text: pending.text };
        this.#said([{ ...own, client_id: pending.id, parts: [], choices: [], sources: [], calendar: null, safety: null }, ...reply.messages], true);
      });
      this.#trouble("send", "");
      this.#follow();
    } catch (error) {
      const status = error instanceof Refusal ? error.status : 0;
      if (status === 401) {
        this.#refuse(token);
        return failures < 2 ? 0 : backOff(failures);
      }
      if ([400, 404, 413, 422].includes(status)) {
        this.#done(pending.id);
        this.#handlers.refused(pending.id, pending.choice !== undefined);
        return undefined;
      }
      this.#trouble("send", status === 429 ? "too_many" : navigator.onLine ? "away" : "offline");
      return error instanceof Refusal && error.wait ? error.wait + Math.random() * 500 : backOff(failures);
    }
    return undefined;
  }

  // Reads the stream of what is said, again and again, from where the last one broke off.
  async #follow() {
    if (this.#following) return;
    this.#following = true;
    let failures = 0;
    while (this.#session() && document.visibilityState === "visible") {
      let token = "";
      const stream = (this.#stream = new AbortController());
      let silence = 0;
      try {
        token = await this.#token();
        const key = this.#key;
        const headers = { Authorization: `Bearer ${token}`, ...(this.#cursor && { "Last-Event-ID": this.#cursor }) };
        silence = setTimeout(() => stream.abort(), PATIENCE);
        const response = await fetch("chat/events", { headers, signal: stream.signal, cache: "no-store" });
        if (!response.ok || !response.body) throw new Refusal(response);
        for await (const event of events(response.body)) {
          if (key !== this.#key) break;
          clearTimeout(silence);
          silence = setTimeout(() => stream.abort(), SILENCE);
          failures = 0;
          this.#trouble("follow", "");
          if (event.name === "messages") this.#said(event.data.messages, this.#live);
          if (event.name === "live") this.#live = true;
          if (event.id) this.#cursor = event.id;
        }
      } catch (error) {
        if (error instanceof Refusal && error.status === 401) this.#refuse(token);
        else if (!navigator.onLine) this.#trouble("follow", "offline");
        else if (failures > 0 && !(error instanceof Refusal && error.status === 429)) this.#trouble("follow", "away");
      }
      clearTimeout(silence);
      stream.abort();
      failures += 1;
      if (document.visibilityState === "visible") await this.#sleep(backOff(failures - 1));
    }
    this.#following = false;
  }

  /** @param {Message[]} messages @param {boolean} live */
  #said(messages, live) {
    const fresh = messages.filter(({ id }) => !this.#known.has(id));
    for (const message of fresh) {
      this.#known.add(message.id);
      if (message.client_id) this.#done(message.client_id);
    }
    if (fresh.length) this.#handlers.said(fresh, live);
  }

  /** @param {"send" | "follow"} part @param {Trouble} trouble */
  #trouble(part, trouble) {
    this.#troubles[part] = trouble;
    const { send, follow } = this.#troubles;
    this.#handlers.trouble(send === "too_many" ? send : send && follow ? follow : send || follow);
  }

  /** @param {number} milliseconds */
  #sleep(milliseconds) {
    return /** @type {Promise<void>} */ (
      new Promise((resolve) => {
        const wake = () => {
          clearTimeout(timer);
          this.#sleepers.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, milliseconds);
        this.#sleepers.add(wake);
      })
    );
  }
}

/** An id that nothing else has; crypto.randomUUID() is missing on pages that came without TLS. */
function unique() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {number} failures */
function backOff(failures) {
  return Math.min(LONGEST_WAIT, 500 * 2 ** failures) * (0.5 + Math.random());
}

/**
 * Runs something while no other tab runs something of the same name.
 *
 * @template T
 * @param {string} name
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
async function alone(name, work) {
  let begun = false;
  try {
    return await navigator.locks.request(name, () => {
      begun = true;
      return work();
    });
  } catch (error) {
    if (begun) throw error;
    // The browser shares nothing between tabs here, as when it blocks third parties' storage.
    return work();
  }
}

/** @param {string} path @param {unknown} body @param {string} [token] @returns {Promise<any>} */
async function post(path, body, token) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(PATIENCE),
  });
  if (!response.ok) throw new Refusal(response);
  return response.json();
}

/**
 * The events of a stream, and an empty one for each sign of life.
 *
 * @param {ReadableStream<Uint8Array>} body
 * @returns {AsyncGenerator<{ name: string, id: string, data: any }>}
 */
async function* events(body) {
  const reader = body.pipeThrough(/** @type {any} */ (new TextDecoderStream())).getReader();
  let text = "";
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
    const blocks = (text + chunk.value).split("\n\n");
    text = blocks.pop() ?? "";
    for (const block of blocks) {
      const fields = new Map(block.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]));
      yield { name: fields.get("event") ?? "", id: fields.get("id") ?? "", data: JSON.parse(fields.get("data") ?? "null") };
    }
  }
}
