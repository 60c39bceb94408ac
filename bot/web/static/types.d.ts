// What the server and the widget's files tell each other.

interface Part {
  text: string;
  href: string | null;
}

/** A message as GET /chat/events and POST /chat/messages give it. */
interface Message {
  id: string;
  author: string;
  turn: number;
  index: number;
  at: string;
  text: string;
  parts: Part[];
  choices: { id: string; title: string }[];
  sources: { id: string; title: string; words: string }[];
  /** where the calendar file of a visit is */
  calendar: string | null;
  safety: string | null;
  client_id: string | null;
}

/** What the server writes into the panel's page. */
interface PanelConfig {
  language: string;
  /** the language of the assistant's answers */
  answers: string;
  origins: string[];
  words: Record<string, string>;
}

/** What the server writes into the loader. */
interface LoaderConfig {
  colour: string;
  language: string;
  languages: Record<string, {
    launcher: string;
    close: string;
    unread: string;
    title: string;
    retry: string;
    away: string;
    contact: Part[][];
  }>;
}
