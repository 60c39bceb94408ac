// What the visitor sees. All text is set as text; only addresses that one can call, write to or open become links.

const SAFE = /^(https?|tel|mailto|sms):/i;
const FILE = /^visits\/[\w.-]+\.ics$/;
const TYPING_AFTER = 400;
const TELL_TYPING_AFTER = 2000;
const WAITING_AFTER = 2500;

/**
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {string} [className]
 * @param {(Node | string)[]} children
 */
export function make(name, className = "", ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

/** @template {HTMLElement} [Kind=HTMLElement] @param {string} id @returns {Kind} */
export function find(id) {
  return /** @type {Kind} */ (document.getElementById(id));
}

/** @param {Part[]} parts */
function linked(parts) {
  return parts.map(({ text, href }) => {
    if (!href || !SAFE.test(href)) return text;
    const link = make("a", "", text);
    link.href = href;
    if (href.startsWith("http")) {
      link.target = "_blank";
      link.rel = "noopener noreferrer";
    }
    return link;
  });
}

export class View {
  #words;
  #answers;
  #choose;
  #log = find("log");
  #messages = find("messages");
  #welcome = find("welcome");
  #typing = find("typing");
  #status = find("status");
  #latest = find("latest");
  // Whether what is said last is in sight, and is to stay so when the panel changes its size, as when a phone's keyboard comes.
  #end = false;
  // Where the last reply begins, and what scrolled when the size was looked at last.
  /** @type {HTMLElement | null} */
  #reply = null;
  #scrolled = this.#scroller;
  #typingAfter = 0;
  #tellAfter = 0;
  #language;
  /** @type {{ today: Intl.DateTimeFormat, before: Intl.DateTimeFormat } | undefined} */
  #formats;

  /**
   * @param {PanelConfig} config
   * @param {(title: string, choice: string) => void} choose called when the visitor takes a choice
   */
  constructor(config, choose) {
    this.#words = config.words;
    this.#answers = config.answers;
    this.#choose = choose;
    this.#language = config.language;
    const scrolled = () => {
      this.#end = this.#atEnd();
      if (this.#end) this.#latest.hidden = true;
    };
    document.addEventListener("scroll", scrolled, { passive: true, capture: true });
    new ResizeObserver(() => this.#stay()).observe(this.#log);
    this.#latest.addEventListener("click", () => {
      this.#toEnd();
      this.#log.focus({ preventScroll: true });
    });
  }

  /**
   * Shows messages, each in its place.
   *
   * @param {Message[]} messages
   * @param {boolean} live whether they are news, to be read out
   */
  said(messages, live) {
    if (!live) this.#quietly();
    const reading = !this.#atEnd();
    let first;
    for (const message of messages) {
      const waiting = message.client_id && this.#waiting(message.client_id);
      const made = waiting ? this.#settle(waiting, message) : this.#message(message, live);
      this.#place(made, message);
      if (!first && message.author !== "visitor") first = made;
    }
    this.#began();
    this.#tidy();
    if (!first) return this.#toEnd();
    this.typing(false);
    if (reading && live) this.#latest.hidden = false;
    else this.#show(live ? first : null);
  }

  /** @param {{ id: string, text: string, at: string }} pending something of the visitor's that is not sent yet */
  waiting(pending) {
    const made = this.#visitor(pending.text, pending.at, pending.id);
    this.#messages.append(made);
    this.#began();
    this.#tidy();
    this.#toEnd();
    setTimeout(() => {
      if (!made.isConnected || made.dataset.turn || made.querySelector(".state")) return;
      const follow = this.#atEnd();
      made.append(make("p", "state", this.#words.waiting));
      if (follow) this.#toEnd();
    }, WAITING_AFTER);
  }

  /** @param {string} id @param {boolean} choice */
  refused(id, choice) {
    const made = this.#waiting(id);
    if (!made) return;
    made.querySelector(".state")?.remove();
    made.append(make("p", "state", choice ? this.#words.refused_choice : this.#words.refused));
    made.removeAttribute("data-waiting");
    this.#status.textContent = choice ? this.#words.refused_choice : this.#words.refused;
  }

  /** @param {boolean} on whether a reply is being waited for */
  typing(on) {
    clearTimeout(this.#typingAfter);
    clearTimeout(this.#tellAfter);
    if (!on) {
      this.#typing.hidden = true;
      if (this.#status.textContent === this.#words.typing) this.#status.textContent = "";
      return;
    }
    this.#typingAfter = setTimeout(() => {
      const follow = this.#atEnd();
      this.#typing.hidden = false;
      if (follow) this.#toEnd();
    }, TYPING_AFTER);
    this.#tellAfter = setTimeout(() => (this.#status.textContent = this.#words.typing), TELL_TYPING_AFTER);
  }

  /** @param {"offline" | "away" | "too_many" | ""} trouble */
  trouble(trouble) {
    const box = find("trouble");
    if ((box.dataset.trouble ?? "") === trouble) return;
    box.dataset.trouble = trouble;
    const title = trouble && this.#words[trouble];
    const text = trouble === "away" ? this.#words.away_text : "";
    find("trouble-title").textContent = title;
    find("trouble-text").textContent = text;
    find("contact").hidden = trouble === "too_many";
    find("retry").hidden = trouble !== "away";
    box.hidden = !trouble;
    this.#status.textContent = `${title} ${text}`.trim();
  }

  /** Another conversation begins on an empty page. */
  clear() {
    this.#messages.replaceChildren();
    this.#welcome.classList.remove("past");
    this.typing(false);
    this.#latest.hidden = true;
    this.#reply = null;
    this.#scroller.scrollTop = 0;
  }

  /** Another conversation begins below this one. */
  part() {
    for (const made of this.#all()) if (made.dataset.turn) made.dataset.turn = made.dataset.index = "-1";
  }

  #all() {
    return /** @type {HTMLElement[]} */ ([...this.#messages.children]);
  }

  /** @param {string} id */
  #waiting(id) {
    return this.#all().find((made) => made.dataset.waiting === id);
  }

  /** @param {string} text @param {string} at @param {string} [waiting] */
  #visitor(text, at, waiting) {
    const made = make("div", "message visitor", make("p", "unseen", this.#words.you_said), make("p", "bubble", text), this.#time(at));
    // The visitor knows what they wrote.
    made.setAttribute("aria-live", "off");
    if (waiting) made.dataset.waiting = waiting;
    return made;
  }

  /** @param {HTMLElement} made @param {Message} message */
  #settle(made, message) {
    made.removeAttribute("data-waiting");
    made.querySelector(".state")?.remove();
    made.querySelector("time")?.replaceWith(this.#time(message.at));
    return made;
  }

  /** @param {Message} message @param {boolean} live */
  #message(message, live) {
    if (message.author === "visitor") return this.#visitor(message.text, message.at);
    const staff = message.author === "staff";
    const bubble = make("div", "bubble", make("p", "", ...linked(message.parts)));
    if (!staff) bubble.lang = this.#answers;
    if (staff) bubble.prepend(make("p", "staff", this.#words.staff));
    if (message.sources.length) {
      const chips = make("ul", "sources", ...message.sources.map((source) => this.#chip(source)));
      chips.setAttribute("aria-label", this.#words.sources);
      bubble.append(chips);
    }
    const made = make("div", `message ${message.author}`, make("p", "unseen", staff ? this.#words.staff_said : this.#words.assistant_said), bubble);
    if (message.safety) {
      made.classList.add("urgent");
      if (live) {
        bubble.setAttribute("role", "alert");
        // The alert is read out at once; the log is not to say it again.
        made.setAttribute("aria-live", "off");
      }
    }
    if (message.calendar && FILE.test(message.calendar)) made.append(this.#calendar(message.calendar));
    if (message.choices.length) made.append(this.#choices(message.choices));
    made.append(this.#time(message.at));
    return made;
  }

  /** @param {Message["sources"][number]} source */
  #chip({ title, words }) {
    const chip = make("li", "", words || title);
    chip.title = title;
    return chip;
  }

  /** @param {string} address */
  #calendar(address) {
    const link = make("a", "file", this.#words.calendar);
    link.href = address;
    link.download = "";
    return link;
  }

  /** @param {Message["choices"]} choices */
  #choices(choices) {
    const group = make("div", "choices");
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", this.#words.choices);
    group.lang = this.#answers;
    for (const { id, title } of choices) {
      const button = make("button", "", title);
      button.type = "button";
      button.addEventListener("click", () => this.#choose(title, id));
      group.append(button);
    }
    return group;
  }

  // Made when the first is needed: browsers take longer for it than for all else before the visitor can write.
  get #format() {
    const time = /** @type {const} */ ({ hour: "numeric", minute: "2-digit" });
    this.#formats ??= {
      today: new Intl.DateTimeFormat(this.#language, time),
      before: new Intl.DateTimeFormat(this.#language, { weekday: "short", day: "numeric", month: "short", ...time }),
    };
    return this.#formats;
  }

  /** @param {string} at */
  #time(at) {
    const moment = new Date(at);
    const today = moment.toDateString() === new Date().toDateString();
    const made = make("time", "", (today ? this.#format.today : this.#format.before).format(moment));
    made.dateTime = at;
    return made;
  }

  // Messages stand in the order of their numbers; what is not sent yet comes last.
  /** @param {HTMLElement} made @param {Message} message */
  #place(made, { turn, index }) {
    made.dataset.turn = `${turn}`;
    made.dataset.index = `${index}`;
    const later = this.#all().find((other) => {
      if (other === made) return false;
      if (!other.dataset.turn) return other.dataset.waiting !== undefined;
      const difference = Number(other.dataset.turn) - turn || Number(other.dataset.index) - index;
      return difference > 0;
    });
    // Moving an element would have it read out once more.
    if (later ? made.nextElementSibling !== later : made !== this.#messages.lastElementChild) this.#messages.insertBefore(made, later ?? null);
  }

  // Choices stand below the last reply alone, and a time below the last of what was said in its minute.
  #tidy() {
    const all = this.#all();
    for (const [index, made] of all.slice(0, -1).entries()) {
      const [time, next] = [made, all[index + 1]].map((each) => each.querySelector("time"));
      if (time) time.hidden = time.textContent === next?.textContent;
      const choices = made.querySelector(".choices");
      if (choices && all.slice(index + 1).some((other) => other.classList.contains("visitor"))) choices.remove();
    }
  }

  #began() {
    this.#welcome.classList.add("past");
  }

  #quietly() {
    this.#log.setAttribute("aria-live", "off");
    setTimeout(() => this.#log.removeAttribute("aria-live"), 500);
  }

  // In very low windows it is the whole page.
  get #scroller() {
    return getComputedStyle(this.#log).overflowY === "visible" ? document.documentElement : this.#log;
  }

  #atEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight < 60;
  }

  #toEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#end = true;
  }

  #stay() {
    const moved = this.#scrolled !== this.#scroller;
    this.#scrolled = this.#scroller;
    if (this.#end) this.#toEnd();
    else if (moved && this.#reply) this.#show(this.#reply);
  }

  // A long reply is shown from its beginning.
  /** @param {HTMLElement | null} first */
  #show(first) {
    this.#reply = first;
    this.#toEnd();
    if (!first) return;
    const scroller = this.#scroller;
    const edge = scroller === this.#log ? scroller.getBoundingClientRect().top : 0;
    const above = first.getBoundingClientRect().top - edge - 12;
    if (above < 0) scroller.scrollTop += above;
    this.#end = this.#atEnd();
  }
}
