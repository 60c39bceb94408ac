// The loader: draws the launcher, and makes the panel's iframe when it is first opened. Nothing of the chat itself is in here,
// so the scripts of the page that it stands on cannot read a conversation. docs/embedding.md says how to use it.
((/** @type {LoaderConfig} */ config) => {
  const page = /** @type {any} */ (window);
  /** @type {Record<string, any>} */
  const given = page.Stipple || {};
  if (given.open) return;
  const script = /** @type {HTMLScriptElement | null} */ (document.currentScript || document.querySelector('script[src*="widget.js"]'));
  if (!script) return;
  const base = new URL(".", script.src);
  const options = { ...given, ...script.dataset };
  const language = config.languages[options.language] ? options.language : config.language;
  const words = config.languages[language];
  const narrow = matchMedia("(max-width: 480px), (max-height: 460px)");
  const view = window.visualViewport;

  /**
   * @param {string} name
   * @param {Record<string, string>} [attributes]
   * @param {(Node | string)[]} children
   */
  const make = (name, attributes = {}, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };

  /** @param {string[]} paths */
  const icon = (...paths) => {
    const space = "http://www.w3.org/2000/svg";
    const drawing = document.createElementNS(space, "svg");
    drawing.setAttribute("viewBox", "0 0 24 24");
    drawing.setAttribute("aria-hidden", "true");
    for (const d of paths) drawing.appendChild(document.createElementNS(space, "path")).setAttribute("d", d);
    return drawing;
  };
  const bubble = "M12 3.5c5 0 9 3.3 9 7.6s-4 7.6-9 7.6c-1 0-2-.1-2.9-.4L4.5 20.5l1-3.7C3.9 15.4 3 13.4 3 11.1c0-4.3 4-7.6 9-7.6Z";
  /** @type {Record<string, string[]>} */
  const icons = {
    chat: [bubble, "M8 11.2h.01M12 11.2h.01M16 11.2h.01"],
    question: [bubble, "M9.9 9.3c.2-1.1 1.1-1.8 2.2-1.8 1.2 0 2.2.8 2.2 2 0 1.6-2.2 1.7-2.2 3.2M12.1 15.2h.01"],
  };

  const host = make("div", { id: "stipple" });
  const root = host.attachShadow({ mode: "open" });
  const picture = /^https:/.test(options.icon) ? make("img", { src: options.icon, alt: "" }) : icon(...(icons[options.icon] || icons.chat));
  picture.classList.add("shut");
  const cross = icon("M6 6l12 12M18 6 6 18");
  cross.classList.add("cross");
  const label = make("span", { class: "label" }, options.label || words.launcher);
  const launcher = make("button", { type: "button", class: "launcher", "aria-expanded": "false" }, picture, cross, label, make("i"));
  const panel = make("div", { role: "dialog", "aria-label": words.title, class: "panel", hidden: "" });
  root.append(make("div", { role: "region", "aria-label": words.title }, launcher, panel));

  /** @type {HTMLIFrameElement | undefined} */
  let frame;
  let ready = false, shown = false, unread = 0;
  /** @type {string | undefined} */
  let question;
  /** @type {HTMLElement | undefined} */
  let card;
  /** @type {HTMLElement} */
  let opener;
  let patience = 0;

  /** @param {Record<string, unknown>} message */
  const tell = (message) => ready && frame?.contentWindow?.postMessage({ stipple: 1, ...message }, base.origin);

  const colour = () => {
    const wanted = (options.colour || getComputedStyle(host).getPropertyValue("--stipple-colour")).trim();
    return /^#[0-9a-f]{6}$/i.test(wanted) ? wanted : "";
  };

  const paint = () => {
    const accent = colour() || config.colour;
    const [r, g, b] = [1, 3, 5].map((at) => (parseInt(accent.slice(at, at + 2), 16) / 255) ** 2.2);
    host.style.setProperty("--accent", accent);
    host.style.setProperty("--on-accent", 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.18 ? "#1c1512" : "#fff");
    host.classList.toggle("left", options.side ? options.side === "left" : getComputedStyle(document.documentElement).direction === "rtl");
  };

  const name = () => {
    const text = shown ? words.close : unread ? `${label.textContent}. ${words.unread}` : `${label.textContent}`;
    launcher.setAttribute("aria-label", text);
    launcher.setAttribute("aria-expanded", `${shown}`);
    launcher.classList.toggle("news", unread > 0 && !shown);
  };

  // A phone's keyboard covers part of the page: the panel takes what is left.
  const fit = () => {
    const whole = shown && narrow.matches;
    panel.style.height = whole && view ? `${view.height}px` : "";
    panel.style.top = whole && view ? `${view.offsetTop}px` : "";
    panel.setAttribute("aria-modal", `${whole}`);
    document.body.inert = whole;
    tell({ type: "shape", whole });
  };

  // What a visitor needs when the server cannot be reached.
  const away = () => {
    if (ready || card) return;
    /** @param {Part[]} parts */
    const linked = (parts) => make("p", {}, ...parts.map((part) => (part.href ? make("a", { href: part.href }, part.text) : part.text)));
    const again = make("button", { type: "button" }, words.retry);
    const shut = make("button", { type: "button" }, words.close);
    again.addEventListener("click", load);
    shut.addEventListener("click", close);
    card = make("div", { class: "card", tabindex: "-1" }, make("h2", {}, words.away), ...words.contact.map(linked), again, shut);
    panel.append(card);
    if (shown) card.focus();
  };

  const load = () => {
    frame?.remove();
    card?.remove();
    card = undefined;
    ready = false;
    frame = /** @type {HTMLIFrameElement} */ (make("iframe", {
      title: words.title,
      src: `${new URL("panel", base)}?lang=${language}#${location.origin}`,
      referrerpolicy: "no-referrer",
    }));
    // On the server's own page this would guard nothing.
    if (base.origin !== location.origin) frame.setAttribute("sandbox", "allow-scripts allow-same-origin allow-forms allow-popups allow-popups-to-escape-sandbox allow-downloads");
    panel.append(frame);
    clearTimeout(patience);
    patience = setTimeout(away, navigator.onLine ? 6000 : 300);
  };

  const open = () => {
    if (!shown) {
      shown = true;
      const active = /** @type {any} */ (document.activeElement);
      opener = active === host || active === document.body ? launcher : active;
      panel.hidden = false;
      host.classList.add("open");
      if (!frame || card) load();
      unread = 0;
      name();
      fit();
    }
    frame?.focus();
    tell({ type: "open", question });
    if (ready) question = undefined;
  };

  const close = () => {
    if (!shown) return;
    // The focus goes back to where the visitor came from, unless it is elsewhere on the page already.
    const within = root.activeElement;
    shown = false;
    panel.hidden = true;
    host.classList.remove("open");
    fit();
    name();
    tell({ type: "close" });
    if (within) (opener?.isConnected ? opener : launcher).focus();
  };

  /** @param {string} [text] */
  const ask = (text) => {
    question = text === undefined ? undefined : String(text).slice(0, 1000);
    open();
  };

  launcher.addEventListener("click", () => (shown ? close() : open()));
  root.addEventListener("keydown", (event) => /** @type {KeyboardEvent} */ (event).key === "Escape" && close());
  narrow.addEventListener("change", fit);
  view?.addEventListener("resize", fit);
  view?.addEventListener("scroll", fit);
  addEventListener("message", (event) => {
    if (!frame || event.source !== frame.contentWindow || event.origin !== base.origin || event.data?.stipple !== 1) return;
    const { type, count } = event.data;
    if (type === "ready") {
      clearTimeout(patience);
      card?.remove();
      card = undefined;
      ready = true;
      const { greeting, theme } = options;
      tell({ type: "options", colour: colour(), greeting, theme });
      if (shown) open();
      fit();
    } else if (type === "close") {
      close();
    } else if (type === "unread" && Number.isInteger(count)) {
      unread = count;
      name();
    }
  });
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element && event.target.closest('a[href="#stipple"]');
    if (link) {
      event.preventDefault();
      open();
    }
  });

  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
    :host { all: initial !important; position: fixed !important; inset: auto 0 0 auto !important; display: block !important;
      z-index: var(--stipple-layer, 2147483000) !important; font: 600 16px/1.4 system-ui, sans-serif !important; direction: inherit !important; }
    :host(.left) { inset: auto auto 0 0 !important; }
    [hidden] { display: none !important; }
    * { box-sizing: border-box; }
    .launcher { position: fixed; inset: auto var(--stipple-side, 20px) var(--stipple-bottom, 20px) auto; display: flex; align-items: center; gap: 10px;
      min-width: 56px; height: 56px; max-width: calc(100vw - 40px); padding: 0 22px 0 18px; border: 0; border-radius: 28px; background: var(--accent); color: var(--on-accent);
      font: inherit; cursor: pointer; box-shadow: 0 1px 2px #0003, 0 8px 24px #0003; transition: transform .15s; }
    :host(.left) .launcher { inset: auto auto var(--stipple-bottom, 20px) var(--stipple-side, 20px); }
    .launcher:hover { transform: translateY(-1px); }
    .launcher:focus-visible, .card :focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; box-shadow: 0 0 0 3px #fff; }
    svg, img { flex: none; width: 26px; height: 26px; fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; }
    .label { overflow: hidden; white-space: nowrap; text-overflow: ellipsis; }
    .cross, :host(.open) .shut, :host(.open) .label, i { display: none; }
    :host(.open) .cross { display: block; }
    :host(.open) .launcher { padding: 0 15px; }
    .news i { display: block; position: absolute; top: 2px; inset-inline-end: 2px; width: 14px; height: 14px; border: 2px solid #fff; border-radius: 50%; background: #c42b1c; }
    .panel { position: fixed; inset: auto var(--stipple-side, 20px) calc(var(--stipple-bottom, 20px) + 70px) auto; width: min(408px, calc(100vw - 40px));
      height: min(680px, calc(100vh - var(--stipple-bottom, 20px) - 90px)); overflow: hidden; border-radius: 22px; background: Canvas; color: CanvasText; color-scheme: light dark;
      box-shadow: 0 0 0 1px #8883, 0 20px 60px #0003; animation: rise .18s ease-out; }
    :host(.left) .panel { inset: auto auto calc(var(--stipple-bottom, 20px) + 70px) var(--stipple-side, 20px); }
    iframe { display: block; width: 100%; height: 100%; border: 0; color-scheme: normal; }
    .card { position: absolute; inset: 0; overflow: auto; padding: 28px; background: Canvas; font-weight: 400; outline: 0; }
    h2 { margin: 0 0 12px; font-size: 20px; }
    p { margin: 0 0 12px; }
    a { color: inherit; white-space: nowrap; }
    .card button { min-height: 44px; margin: 8px 8px 0 0; padding: 0 18px; border: 1px solid currentColor; border-radius: 22px; background: none; color: inherit; font: inherit; cursor: pointer; }
    @keyframes rise { from { opacity: 0; transform: translateY(10px); } }
    @media (max-width: 480px), (max-height: 460px) {
      :host .panel { inset: 0; width: 100%; height: 100%; border-radius: 0; }
      .label { display: none; }
      .launcher { padding: 0 15px; }
      :host(.open) .launcher { display: none; }
    }
    @media (prefers-reduced-motion: reduce) { * { animation: none !important; transition: none !important; } }
    @media print { :host { display: none !important; } }
    @media (forced-colors: active) { .launcher, .panel { border: 2px solid ButtonText; } }
  `);
  root.adoptedStyleSheets = [sheet];

  const draw = () => {
    // Beside the body, where no style of the body can hold a fixed element.
    document.documentElement.append(host);
    paint();
    name();
  };
  if (document.body) draw();
  else addEventListener("DOMContentLoaded", draw);
  page.Stipple = Object.assign(given, { open, close, ask });
})(/** @type {any} */ ("config"));
