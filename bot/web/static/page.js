// A plain page to try the assistant. What the server sends is always set as text, never as HTML.
const log = document.getElementById("log");
const form = document.getElementById("form");
const field = document.getElementById("text");
let token = "";

async function post(path, body) {
  const headers = { "Content-Type": "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  const response = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.phone ? `${answer.title} ${answer.phone}` : answer.title);
  return answer;
}

function element(name, className, text) {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

function show(message) {
  const item = element("li", "", message.text);
  if (message.sources.length) {
    item.append(element("p", "sources", `From: ${message.sources.map((source) => source.title).join("; ")}`));
  }
  const choices = element("div", "choices", "");
  for (const choice of message.choices) {
    const button = element("button", "", choice.title);
    button.addEventListener("click", () => say(choice.title, { choice: choice.id }));
    choices.append(button);
  }
  if (message.choices.length) item.append(choices);
  log.append(item);
}

async function say(text, content) {
  log.append(element("li", "visitor", text));
  try {
    if (!token) token = (await post("/chat/sessions", {})).token;
    const { messages } = await post("/chat/messages", { id: crypto.randomUUID(), ...content });
    messages.forEach(show);
  } catch (error) {
    log.append(element("li", "trouble", error.message));
  }
  field.focus();
  window.scrollTo({ top: document.body.scrollHeight });
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = field.value.trim();
  field.value = "";
  if (text) say(text, { text });
});
