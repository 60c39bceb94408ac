"""By text message: nothing that leaves GSM-7, nothing longer than two parts, and no number asked that is known."""

from bot.engine import Engine
from bot.sms import replies
from bot.sms_text import encoding, segments
from tests.conversations.booking.conftest import PHONE, Guest, visits


async def test_a_booking_by_text(sms: Guest, engine: Engine) -> None:
    said = []
    for text in ("I want to book", "consultation", "tomorrow", "1", "Sam Lee"):
        said.append(await sms(text))
        assert "number?" not in sms.said
        assert sms.reply
        written = replies.write(sms.reply, "MORE")
        assert not written.rest
        assert all(segments(part) == 1 and encoding(part) == "GSM-7" for part in written.texts), written.texts
    await sms("yes")
    assert [(v.name, v.phone, v.channel) for v in visits(engine)] == [("Sam Lee", PHONE, "sms")]


async def test_slots_are_numbered_lines(sms: Guest) -> None:
    await sms("book a consultation", "tomorrow")
    assert sms.reply
    text = "\n".join(replies.write(sms.reply, "MORE").texts)
    assert "1" in text
    assert "Tue, Mar 3" in text
