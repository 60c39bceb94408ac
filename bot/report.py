"""Replies as staff and programs read them."""

import json

from bot.reply import Reply
from bot.sms_text import encoding, segments


def why(reply: Reply) -> str:
    """Zone, topic, confidence, and the runners-up with their probabilities, in lines."""
    lines = [f"zone {reply.zone}  topic {', '.join(reply.topics)}  confidence {reply.confidence:.2f}  {reply.ms:.1f} ms"]
    if reply.safety:
        lines.append(f"safety {reply.safety}")
    lines += [f"  {probability:6.1%}  {label}" for label, probability in reply.ranking]
    return "\n".join(lines)


def lines(reply: Reply, channel: str, with_scores: bool) -> str:
    """A reply for the terminal: the wording as the channel sends it, then where it comes from."""
    parts: list[str] = []
    for message in reply.messages:
        parts.append(message.text)
        if channel == "sms":
            parts.append(f"[{segments(message.text)} segment(s), {encoding(message.text)}]")
        parts += [f"  - {choice.title}" for choice in message.choices]
    parts.append("")
    parts.append(f"topic       {', '.join(reply.topics)}")
    parts.append(f"zone        {reply.zone}")
    parts.append(f"confidence  {reply.confidence:.2f}")
    parts.append(f"sources     {', '.join(f'{s.id} ({s.title})' for s in reply.sources) or 'none'}")
    if with_scores:
        parts += ["", why(reply)]
    return "\n".join(parts)


def record(text: str, reply: Reply) -> str:
    """A reply as one line of JSON, in ASCII: a text may hold what ends a line elsewhere, or half of a character."""
    return json.dumps(
        {
            "text": text,
            "zone": reply.zone,
            "safety": reply.safety,
            "topics": reply.topics,
            "confidence": reply.confidence,
            "choices": reply.choices,
            "replies": [message.text for message in reply.messages],
            "sources": [source.id for source in reply.sources],
            "ms": reply.ms,
        }
    )
