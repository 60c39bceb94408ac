// The panel's talk with the page around it: only with the loader, only for websites that the server lists.

/**
 * @typedef {{ open(question: string | undefined): void, close(): void, greet(text: string): void, shape(whole: boolean): void }} Handlers
 */

/** The loader on the page around this one; when there is none, the panel stands by itself. */
export class Host {
  /** @type {string} */
  #origin = "";

  /**
   * @param {string[]} origins websites that may show the panel
   * @param {Handlers} handlers
   */
  constructor(origins, handlers) {
    const claimed = decodeURIComponent(location.hash.slice(1));
    // A page that claims to be another one receives nothing: messages are addressed to the origin that it claims.
    if (window.parent === window || ![location.origin, ...origins].includes(claimed)) return;
    this.#origin = claimed;
    addEventListener("message", (event) => {
      if (event.source !== window.parent || event.origin !== this.#origin || event.data?.stipple !== 1) return;
      const { type, question, greeting, colour, theme, whole } = event.data;
      if (type === "open") handlers.open(typeof question === "string" ? question.slice(0, 1000) : undefined);
      if (type === "close") handlers.close();
      if (type === "shape") handlers.shape(whole === true);
      if (type === "options") {
        if (typeof greeting === "string" && greeting) handlers.greet(greeting.slice(0, 500));
        if (typeof colour === "string" && /^#[0-9a-f]{6}$/i.test(colour)) paint(colour);
        if (theme === "light" || theme === "dark") document.documentElement.style.colorScheme = theme;
      }
    });
  }

  /** Whether there is a loader. */
  get present() {
    return this.#origin !== "";
  }

  ready() {
    this.#tell({ type: "ready" });
  }

  close() {
    this.#tell({ type: "close" });
  }

  /** @param {number} count messages that came while the panel was closed */
  unread(count) {
    this.#tell({ type: "unread", count });
  }

  /** @param {Record<string, unknown>} message */
  #tell(message) {
    if (this.present) window.parent.postMessage({ stipple: 1, ...message }, this.#origin);
  }
}

/**
 * Makes a colour the accent: darkened for light grounds and lightened for dark ones until it can be read on them.
 *
 * @param {string} colour
 */
export function paint(colour) {
  const set = document.documentElement.style;
  const light = readable(parse(colour), [250, 247, 244], [0, 0, 0]);
  const dark = readable(parse(colour), [47, 43, 41], [255, 255, 255]);
  set.setProperty("--accent-light", css(light));
  set.setProperty("--accent-dark", css(dark));
  set.setProperty("--on-accent-light", contrast(light, [255, 255, 255]) >= 4.5 ? "#fff" : "#1c1512");
  set.setProperty("--on-accent-dark", contrast(dark, [28, 21, 18]) >= 4.5 ? "#1c1512" : "#fff");
}

/** @typedef {[number, number, number]} Colour */

/** @param {string} hex @returns {Colour} */
function parse(hex) {
  const at = (/** @type {number} */ index) => parseInt(hex.slice(index, index + 2), 16);
  return [at(1), at(3), at(5)];
}

/** @param {Colour} colour */
function css(colour) {
  return `rgb(${colour.map(Math.round).join(" ")})`;
}

/** @param {Colour} colour @param {Colour} ground @param {Colour} towards @returns {Colour} */
function readable(colour, ground, towards) {
  for (let share = 0; share < 1; share += 0.04) {
    const mixed = /** @type {Colour} */ (colour.map((part, index) => part + (towards[index] - part) * share));
    if (contrast(mixed, ground) >= 5.2) return mixed;
  }
  return towards;
}

/** @param {Colour} one @param {Colour} other */
function contrast(one, other) {
  const [darker, lighter] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

/** @param {Colour} colour */
function luminance(colour) {
  const [r, g, b] = colour.map((part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
