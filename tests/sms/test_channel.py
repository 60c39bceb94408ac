"""What becomes of a text: its turn, the words that mean something of their own, choices, MORE, and nothing done twice."""

import asyncio
import re
import time
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine, select

from bot.reply import Reply
from bot.settings import Settings
from bot.sms.channel import Pseudonyms
from bot.sms.service import Sms
from bot.sms.words import Meaning, Words
from bot.sms_text import encoding, segments
from clinic import yaml
from clinic.inbox import Incoming
from clinic.models import SmsInbound
from clinic.outbox import Postponed
from clinic.services import Services
from tests.sms.conftest import NUMBER, Clock, Echo, Twilio, application, book, consents, said, tasks


def outgoing(sms: Sms, services: Services) -> tuple[str, ...] | None:
    """What the outbox would send now; None while it has to wait."""
    try:
        texts: tuple[str, ...] = sms.composer.compose(services.outbox.entries("waiting")[0]).data["texts"]
    except Postponed:
        return None
    return texts


class TestTurns:
    """3.2: stored first, answered once, in order."""

    async def test_a_retry_gets_the_same_reply_and_nothing_runs_twice(self, known: Twilio, echo: Echo) -> None:
        """3.2a"""
        fields = known.fields("hello")
        first = await known.post(fields)
        again = [await known.post(fields) for _ in range(3)]
        assert {answer.text for answer in again} == {first.text}
        assert echo.texts == ["hello"]

    async def test_a_retry_that_overtakes_waits_for_the_first(self, known: Twilio, echo: Echo) -> None:
        """3.2a"""
        echo.delay = 0.2
        fields = known.fields("hello")
        answers = await asyncio.gather(*(known.post(fields) for _ in range(4)))
        assert len({answer.text for answer in answers}) == 1
        assert echo.texts == ["hello"]

    async def test_a_retry_at_another_process_gets_the_same_reply(
        self, known: Twilio, echo: Echo, sms_settings: Settings, base: Engine, services: Services, clock: Clock
    ) -> None:
        """3.2b"""
        other = Sms.build(sms_settings, base, services, clock=clock)
        other.channel.engine = echo
        echo.delay = 0.2
        fields = known.fields("hello")
        async with httpx.AsyncClient(transport=httpx.ASGITransport(application(other)), base_url="http://test") as client:
            first, second = await asyncio.gather(known.post(fields), Twilio(client).post(fields))
        assert first.text == second.text
        assert "You said: hello" in first.text
        assert echo.texts == ["hello"]

    async def test_the_turns_of_a_number_run_one_at_a_time_and_in_order(self, known: Twilio, echo: Echo) -> None:
        """3.2d"""
        echo.delay = 0.02
        answers = await asyncio.gather(*(known.say(f"m{n}") for n in range(8)))
        assert echo.texts == [f"m{n}" for n in range(8)]
        assert answers == [[f"You said: m{n}"] for n in range(8)]
        assert echo.most_at_once == 1

    async def test_and_so_they_do_in_two_processes(
        self, known: Twilio, echo: Echo, sms_settings: Settings, base: Engine, services: Services, clock: Clock
    ) -> None:
        """3.2d"""
        other = Sms.build(sms_settings, base, services, clock=clock)
        other.channel.engine = echo
        echo.delay = 0.02
        async with httpx.AsyncClient(transport=httpx.ASGITransport(application(other)), base_url="http://test") as client:
            second = Twilio(client)
            second._sids = (f"MM{n:032x}" for n in range(99))
            waiting = [asyncio.create_task((known, second)[n % 2].say(f"m{n}")) for n in range(8)]
            answers = await asyncio.gather(*waiting)
        assert echo.texts == [f"m{n}" for n in range(8)]
        assert answers == [[f"You said: m{n}"] for n in range(8)]
        assert echo.most_at_once == 1

    async def test_different_numbers_do_not_wait_for_each_other(self, client: httpx.AsyncClient, echo: Echo) -> None:
        # Nobody is answered until all have been heard.
        """3.9d"""
        echo.meeting = asyncio.Barrier(8)
        phones = [Twilio(client, f"+1212555010{n}") for n in range(8)]
        for phone, start in zip(phones, range(100, 900, 100), strict=True):
            phone._sids = iter([f"SM{start}"])
        async with asyncio.timeout(30):
            answers = await asyncio.gather(*(phone.say("hi") for phone in phones))
        assert all("You said: hi" in "\n".join(answer) for answer in answers)

    async def test_of_a_burst_the_first_are_answered_while_the_last_wait(self, client: httpx.AsyncClient, echo: Echo) -> None:
        """3.2c"""
        heard: list[int] = []

        async def text(number: int) -> None:
            phone = Twilio(client, f"+1212555{number:04d}")
            await phone.say("hi", sid=f"SM{number}")
            heard.append(len(echo.heard))

        await asyncio.gather(*(text(number) for number in range(60)))
        assert heard[0] < 60

    async def test_one_whose_process_died_is_answered_before_the_next_one(
        self, known: Twilio, echo: Echo, sms: Sms, clock: Clock
    ) -> None:
        """3.2d"""
        sms.inbox.receive(Incoming("SMlost", NUMBER, "text", "lost", None))
        clock.advance(seconds=6)
        assert await known.say("next") == ["You said: next"]
        assert echo.texts == ["lost", "next"]

    async def test_its_retry_gets_its_reply(self, known: Twilio, sms: Sms, clock: Clock) -> None:
        sms.inbox.receive(Incoming("SMlost", NUMBER, "text", "lost", None))
        clock.advance(seconds=6)
        await known.say("next")
        assert await known.say("lost", sid="SMlost") == ["You said: lost"]

    async def test_without_a_retry_its_reply_goes_out_by_the_outbox_once(
        self, known: Twilio, echo: Echo, sms: Sms, services: Services, clock: Clock
    ) -> None:
        """3.2c"""
        sms.inbox.receive(Incoming("SMlost", NUMBER, "text", "lost", None))
        clock.advance(seconds=21)
        assert await sms.channel.sweep() == 1
        assert await sms.channel.sweep() == 0
        (entry,) = services.outbox.entries("waiting")
        message = sms.composer.compose(entry)
        assert (message.to, message.data["texts"]) == (NUMBER, ("You said: lost",))
        assert await known.say("lost", sid="SMlost") == []
        assert echo.texts == ["lost"]

    async def test_a_reply_that_takes_too_long_goes_out_by_the_outbox(
        self, known: Twilio, echo: Echo, sms: Sms, services: Services
    ) -> None:
        """3.2c"""
        sms.channel._patience = 0.05
        echo.delay = 0.3
        assert await known.say("slow", sid="SMslow") == []
        async with asyncio.timeout(30):
            while (texts := outgoing(sms, services)) is None:  # noqa: ASYNC110 - it shows in the database alone
                await asyncio.sleep(0.05)
        assert texts == ("You said: slow",)
        assert await known.say("slow", sid="SMslow") == []
        assert echo.texts == ["slow"]

    async def test_a_reply_that_is_there_at_the_last_moment_is_handed_over(
        self, known: Twilio, sms: Sms, services: Services
    ) -> None:
        """3.2c: it is kept while nobody looks, just before the request stops waiting for it."""

        class Busy(Echo):
            async def turn(self, *_: object, **__: object) -> Reply:
                time.sleep(1.0)  # noqa: ASYNC251 - the loop is to be late
                await asyncio.sleep(0)
                return said("Here it is.")

        sms.channel.engine = Busy()
        sms.channel._patience = 0.5
        handed = await known.say("slow")
        # On a machine that is slow enough the request gives up before, and the outbox has the reply.
        assert handed == ["Here it is."] or outgoing(sms, services) == ("Here it is.",)

    async def test_what_a_text_said_is_not_kept_beside_the_conversation(self, known: Twilio, base: Engine) -> None:
        await known.say("my secret")
        with base.connect() as connection:
            assert set(connection.scalars(select(SmsInbound.body))) == {None}

    async def test_a_conversation_is_named_by_a_keyed_hash_of_the_number(self, known: Twilio, echo: Echo) -> None:
        await known.say("hi")
        (conversation, _, _) = echo.heard[0]
        assert conversation.startswith("sms-")
        assert "2125550142" not in conversation
        assert Pseudonyms("k" * 32).conversation(NUMBER) != Pseudonyms("j" * 32).conversation(NUMBER)

    async def test_a_failure_of_ours_is_said(self, known: Twilio, sms: Sms) -> None:
        """3.9a"""

        class Broken:
            async def turn(self, *_: object, **__: object) -> None:
                raise RuntimeError("no")

        sms.channel.engine = Broken()  # type: ignore[assignment]
        (text,) = await known.say("hi")
        assert "something went wrong" in text

    async def test_without_a_model_the_words_of_the_law_still_work(self, known: Twilio, sms: Sms, base: Engine) -> None:
        sms.channel.engine = None
        assert "something went wrong" in (await known.say("does it hurt"))[0]
        assert "no more texts" in (await known.say("STOP"))[0]
        assert consents(base) == [False]

    async def test_machines_that_answer_each_other_are_stopped_but_emergencies_are_not(
        self, known: Twilio, echo: Echo, sms: Sms
    ) -> None:
        sms.channel._hourly = 3
        echo.says["help me"] = said("Call 911 now.", zone="safety", safety="emergency")
        answers = [await known.say(f"m{n}") for n in range(4)]
        assert answers[:2] == [["You said: m0"], ["You said: m1"]]
        assert "more texts" in answers[2][0]
        assert answers[3] == []
        assert await known.say("help me") == ["Call 911 now."]


class TestFirstContact:
    async def test_says_who_this_is_that_it_is_automated_how_to_stop_and_how_to_get_a_person_in_one_segment(
        self, twilio: Twilio
    ) -> None:
        """3.7b"""
        first, answer = await twilio.say("does it hurt")
        assert answer == "You said: does it hurt"
        assert segments(first) == 1
        for part in ("Larkfield Skin Clinic", "automated", "STOP", "AGENT", "911"):
            assert part in first

    async def test_once(self, twilio: Twilio) -> None:
        await twilio.say("does it hurt")
        assert await twilio.say("and then") == ["You said: and then"]

    async def test_is_the_greeting(self, twilio: Twilio, echo: Echo) -> None:
        echo.says["hi"] = said("Hello, this is the assistant.", topics=["greet"])
        (only,) = await twilio.say("hi")
        assert "automated" in only

    async def test_does_not_stand_beside_an_emergency(self, twilio: Twilio, echo: Echo) -> None:
        echo.says["cannot breathe"] = said("Call 911 now.", zone="safety", safety="emergency")
        assert await twilio.say("cannot breathe") == ["Call 911 now."]
        assert len(await twilio.say("thanks")) == 2

    async def test_does_not_stand_beside_a_stop(self, twilio: Twilio) -> None:
        assert len(await twilio.say("STOP")) == 1


class TestWords:
    """3.4 and 3.5"""

    @pytest.mark.parametrize(
        "word",
        [
            "STOP",
            "STOPALL",
            "UNSUBSCRIBE",
            "END",
            "QUIT",
            "REVOKE",
            "OPTOUT",
            "stop",
            " Stop. ",
            "OPT OUT",
            "STOP PLEASE",
            "stop texting me",
            "please remove me",
            "no more texts",
            "unsubscribe me",
            "take me off your list",
            "don't text me",
            "S T O P",
            "stoppp",
            "unsuscribe",
            "fuck off",
            "ALTO",
            "PARAR",
            "no me manden más mensajes",
            "wrong number",
        ],
    )
    async def test_opt_out_words_of_twilio_and_of_people(self, known: Twilio, echo: Echo, base: Engine, word: str) -> None:
        """3.4a"""
        (confirmation,) = await known.say(word)
        assert "no more texts" in confirmation
        assert segments(confirmation) == 1
        assert consents(base) == [False]
        assert not echo.heard

    async def test_there_is_one_confirmation(self, known: Twilio, base: Engine) -> None:
        """3.6b"""
        await known.say("STOP")
        assert await known.say("STOP") == []
        assert await known.say("stop texting me") == []
        assert consents(base) == [False, False, False]

    async def test_a_longer_text_is_obeyed_too(self, known: Twilio, echo: Echo, base: Engine) -> None:
        """3.4a"""
        (confirmation,) = await known.say("I found another clinic so stop texting me about mine")
        assert "no more texts" in confirmation
        assert consents(base) == [False]

    async def test_what_is_urgent_is_said_instead_of_a_confirmation(self, known: Twilio, echo: Echo, base: Engine) -> None:
        text = "stop texting me I cannot breathe"
        echo.says[text] = said("Call 911 now.", zone="safety", safety="emergency")
        assert await known.say(text) == ["Call 911 now."]
        assert consents(base) == [False]

    @pytest.mark.parametrize(
        "text",
        [
            "stop the bleeding",
            "when does the bleeding stop",
            "don't stop texting me",
            "PLEASE CANCEL",
            "cancel my appointment",
            "cancel tues",
            "in the end",
            "I quit smoking",
            "can i opt out of the cream",
        ],
    )
    async def test_other_texts_are_understood_and_not_obeyed(self, known: Twilio, echo: Echo, base: Engine, text: str) -> None:
        """3.5d"""
        await known.say(text)
        assert echo.texts == [text]
        assert not consents(base)

    async def test_how_to_stop_is_told(self, known: Twilio, base: Engine) -> None:
        assert "STOP" in (await known.say("How do I stop these texts?"))[0]
        assert not consents(base)

    @pytest.mark.parametrize("word", ["START", "UNSTOP", "YES", "start", "Start texting me"])
    async def test_start_brings_texts_back(self, known: Twilio, echo: Echo, base: Engine, word: str) -> None:
        """3.4b"""
        await known.say("STOP")
        (confirmation,) = await known.say(word)
        assert "on again" in confirmation
        assert segments(confirmation) == 1
        assert consents(base) == [False, True]
        assert not echo.heard

    async def test_a_yes_within_a_form_brings_texts_back_and_the_question_is_asked_once_more(
        self, known: Twilio, echo: Echo, base: Engine
    ) -> None:
        """3.5e"""
        await known.say("STOP")
        echo.form_at_work = "booking_form"
        (confirmation,) = await known.say("yes")
        assert "on again" in confirmation
        assert "once more" in confirmation
        assert consents(base) == [False, True]
        assert not echo.heard

    async def test_yes_is_an_answer_for_a_number_that_has_texts(self, known: Twilio, echo: Echo, base: Engine) -> None:
        """3.5e"""
        await known.say("YES")
        await known.say("Yes", OptOutType="START")
        assert echo.texts == ["yes", "yes"]
        assert not consents(base)

    @pytest.mark.parametrize("word", ["HELP", "INFO", "help", "Help!", "ayuda"])
    async def test_help_always_works(self, known: Twilio, echo: Echo, word: str) -> None:
        """3.4c"""
        (text,) = await known.say(word)
        for part in ("Larkfield Skin Clinic", "555-0142", "Msg & data rates may apply", "STOP"):
            assert part in text
        assert segments(text) == 1
        await known.say("STOP")
        assert await known.say(word) == [text]
        assert not echo.heard

    async def test_words_come_before_a_waiting_number(self, known: Twilio, echo: Echo) -> None:
        echo.says["book"] = said("Which?", choices=("STOP", "Tuesday"), zone="task")
        await known.say("book")
        assert "no more texts" in (await known.say("STOP"))[0]
        assert echo.texts == ["book"]

    @pytest.mark.parametrize("word", ["STOP", "START", "HELP"])
    async def test_what_twilio_has_answered_is_not_answered_twice(self, known: Twilio, base: Engine, word: str) -> None:
        """3.4e"""
        assert await known.say(word, OptOutType=word) == []
        assert consents(base) == {"STOP": [False], "START": [True], "HELP": []}[word]

    async def test_twilios_word_counts_in_any_language(self, known: Twilio, echo: Echo, base: Engine) -> None:
        """3.4e"""
        assert await known.say("ARRET", OptOutType="STOP") == []
        assert consents(base) == [False]
        assert not echo.heard

    async def test_twilios_own_replies_are_not_doubled_when_it_does_not_announce_them(
        self, known: Twilio, sms: Sms, base: Engine
    ) -> None:
        """3.4d"""
        sms.channel._twilio_answers = True
        assert await known.say("STOP") == []
        assert await known.say("START") == []
        assert await known.say("HELP") == []
        assert consents(base) == [False, True]
        # Twilio knows single words alone.
        assert "no more texts" in (await known.say("STOP PLEASE"))[0]

    async def test_a_bare_cancel_is_an_opt_out_that_keeps_the_visit_and_calls_staff(
        self, known: Twilio, echo: Echo, base: Engine, services: Services
    ) -> None:
        """3.5a"""
        visit = book(services)
        (confirmation,) = await known.say("CANCEL")
        assert "NOT cancelled" in confirmation
        assert segments(confirmation) == 1
        assert consents(base) == [False]
        assert services.booking.get(visit).status == "booked"
        (task,) = tasks(base)
        assert (task.urgency, task.reason, task.phone, task.channel) == ("today", "texted_cancel", NUMBER, "sms")
        assert "March 5" in task.summary
        assert "CANCEL" in task.summary
        assert not echo.heard

    async def test_a_cancel_that_twilio_answered_calls_staff_too(self, known: Twilio, base: Engine) -> None:
        """3.5a"""
        assert await known.say("Cancel", OptOutType="STOP") == []
        assert len(tasks(base)) == 1

    def test_no_text_of_ours_asks_for_a_word_that_stops_texts(self, sms: Sms) -> None:
        """3.5b"""
        ours = [
            *sms.wording.all().values(),
            *Path("domain.yml").read_text().splitlines(),
            *Path("clinic/wording.yml").read_text().splitlines(),
        ]
        for text in ours:
            if text.lstrip().startswith("#"):
                continue
            for word in ("CANCEL", "END", "QUIT"):
                assert word not in text.replace("- ", " ").split(), text

    def test_no_question_is_left_by_a_word_that_stops_texts(self) -> None:
        """3.5b: nothing that is sent by text names such a word as an answer, as the website may."""
        words = Words.load()
        said_in_the_chat_alone = {"utter_how_to_end_texts", "utter_ask_booking_form_booking_phone"}
        for name, variants in yaml.read(Path("domain.yml"))["responses"].items():
            if name in said_in_the_chat_alone:
                continue
            said = next((each for each in variants if each.get("channel") == "sms"), variants[0])
            for answer in re.findall(r'"(.+?)"', said["text"]):
                assert words.keyword(answer) in (None, Meaning("yes")), name


def test_each_text_of_ours_fits_one_segment(sms: Sms) -> None:
    for name, text in sms.wording.all().items():
        assert (encoding(text), segments(text)) == ("GSM-7", 1), (name, len(text))
