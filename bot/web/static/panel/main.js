// The panel: puts together the page, the conversation and the website around it.
import { Chat } from "./chat.js";
import { Host } from "./host.js";
import { find, View } from "./view.js";

/** @type {PanelConfig} */
const config = JSON.parse(find("config").textContent ?? "");
const field = /** @type {HTMLTextAreaElement} */ (find("field"));
const form = /** @type {HTMLFormElement} */ (find("form"));
const more = find("more");
const menu = find("menu");
const sure = /** @type {HTMLDialogElement} */ (find("sure"));
const byTouch = matchMedia("(pointer: coarse)");

let opened = false;
let unread = 0;

const view = new View(config, (title, choice) => say(title, choice));
const chat = new Chat({
  said(messages, live) {
    view.said(messages, live);
    if (opened || !live || !host.present) return;
    unread += messages.filter(({ author }) => author !== "visitor").length;
    host.unread(unread);
  },
  waiting: (pending) => view.waiting(pending),
  refused: (id, choice) => view.refused(id, choice),
  busy: (busy) => view.typing(busy),
  trouble: (trouble) => view.trouble(trouble),
  fresh: () => view.clear(),
  parted: () => view.part(),
});
const host = new Host(config.origins, {
  open(question) {
    opened = true;
    unread = 0;
    if (question !== undefined) write(question);
    // On a phone the keyboard would hide what there is to read.
    if (byTouch.matches && question === undefined) find("name").focus();
    else field.focus();
  },
  close: () => {
    opened = false;
  },
  greet: (text) => {
    find("greeting").textContent = text;
  },
  shape: (whole) => document.documentElement.classList.toggle("whole", whole),
});

/** @param {string} text @param {string} [choice] */
function say(text, choice) {
  chat.say(text, choice);
  // The button that was pressed may be gone.
  (byTouch.matches && document.activeElement !== field ? find("log") : field).focus({ preventScroll: true });
}

/** @param {string} text */
function write(text) {
  field.value = text;
  grow();
}

function grow() {
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
  form.classList.toggle("empty", !field.value.trim());
}

/** @param {boolean} open */
function unfold(open) {
  menu.hidden = !open;
  more.setAttribute("aria-expanded", `${open}`);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = field.value.trim();
  write("");
  if (text) chat.say(text);
  field.focus();
});
field.addEventListener("input", grow);
field.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  form.requestSubmit();
});

for (const button of find("suggestions").querySelectorAll("button")) {
  button.addEventListener("click", () => say(button.textContent ?? "", button.value));
}

more.addEventListener("click", () => unfold(menu.hidden));
menu.addEventListener("click", () => unfold(false));
document.addEventListener("click", (event) => {
  if (event.target instanceof Node && !menu.contains(event.target) && !more.contains(event.target)) unfold(false);
});
const person = /** @type {HTMLButtonElement} */ (find("person"));
person.addEventListener("click", () => say(person.dataset.title ?? "", person.value));
find("again").addEventListener("click", () => {
  sure.returnValue = "";
  sure.showModal();
});
sure.addEventListener("close", () => {
  if (sure.returnValue === "yes") chat.startOver();
  field.focus();
});
find("retry").addEventListener("click", () => {
  chat.retry();
  field.focus();
});

find("close").hidden = !host.present;
find("close").addEventListener("click", () => host.close());
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || sure.open) return;
  if (menu.hidden) return host.close();
  unfold(false);
  more.focus();
});

grow();
chat.start();
host.ready();
if (!host.present) field.focus();
