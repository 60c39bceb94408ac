"""Numbers of choices, letters, MORE and signs, and the pages that texts link to."""

import httpx
import pytest
from sqlalchemy import Engine

from bot.settings import Settings
from bot.sms.service import Sms
from bot.sms_text import segments
from clinic.services import Services
from tests.sms.conftest import NUMBER, PUBLIC, Clock, Echo, Twilio, application, book, consents, said


class TestCodes:
    async def test_a_number_picks_a_choice_that_was_offered(self, known: Twilio, echo: Echo) -> None:
        echo.says["healing"] = said("Which of these?", choices=("Redness", "Peeling"), zone="clarify")
        assert await known.say("healing") == ["Which of these?\n1 Redness\n2 Peeling"]
        assert await known.say("2.") == ["You said: id-Peeling"]

    async def test_a_number_that_was_not_offered_is_not_guessed_at_and_the_choices_stay(self, known: Twilio, echo: Echo) -> None:
        echo.says["healing"] = said("Which of these?", choices=("Redness", "Peeling"), zone="clarify")
        await known.say("healing")
        assert "none of the numbers" in (await known.say("3"))[0]
        await known.say("2")
        assert echo.texts == ["healing", "id-Peeling"]

    async def test_a_choice_that_the_engine_forgot_is_not_guessed_at(self, known: Twilio, echo: Echo) -> None:
        echo.says["healing"] = said("Which of these?", choices=("Redness",), zone="clarify")
        await known.say("healing")
        echo.choices.clear()
        assert "none of the numbers" in (await known.say("1"))[0]

    async def test_a_number_out_of_the_blue_is_asked_about_after_who_we_are(self, twilio: Twilio, echo: Echo) -> None:
        first, second = await twilio.say("7")
        assert "automated" in first
        assert "none of the numbers" in second
        assert not echo.heard

    @pytest.mark.parametrize("text", ["3", "C", "R", "X"])
    async def test_within_a_form_it_may_be_the_answer(self, known: Twilio, echo: Echo, text: str) -> None:
        echo.form_at_work = "booking_form"
        await known.say(text)
        assert echo.texts == [text]

    @pytest.mark.parametrize("text", ["1", "C", "X", "MORE", "AGENT", "👍", "y"])
    async def test_a_person_who_has_the_conversation_reads_it_as_it_was_written(
        self, known: Twilio, echo: Echo, sms: Sms, services: Services, text: str
    ) -> None:
        book(services)
        echo.says["healing"] = said("Which of these?", choices=("Redness", "Peeling"), zone="clarify")
        await known.say("healing")
        conversation = sms.channel.pseudonyms.conversation(NUMBER)
        request = services.handoffs.open(conversation, channel="sms", reason="asked", urgency="routine", phone=NUMBER)
        services.handoffs.claim(request.id, "Kim")
        await known.say(text)
        assert echo.texts == ["healing", text]

    async def test_more_brings_the_rest_and_choices_stay(self, known: Twilio, echo: Echo) -> None:
        """3.5c"""
        long = " ".join(f"Sentence number {n} says something." for n in range(20))
        echo.says["long"] = said(long)
        parts = [await known.say("long")]
        while parts[-1][-1].endswith("MORE for the rest."):
            parts.append(await known.say("more"))
        assert all(len(each) <= 2 and all(segments(text) == 1 for text in each) for each in parts)
        words = " ".join(text[4:].removesuffix("\nMORE for the rest.") for each in parts for text in each)
        assert words == long
        assert echo.texts == ["long"]
        assert "That was all" in (await known.say("MORE"))[0]

    async def test_c_confirms_the_next_visit(self, known: Twilio, echo: Echo, services: Services) -> None:
        """3.5c"""
        visit = book(services)
        (text,) = await known.say("C")
        assert "Thursday, March 5" in text
        assert services.booking.history(visit)[-1]["change"] == "acknowledged"
        assert not echo.heard

    @pytest.mark.parametrize(("letter", "means"), [("R", "reschedule"), ("x", "cancel")])
    async def test_r_and_x_go_to_the_booking_dialogue(
        self, known: Twilio, echo: Echo, services: Services, letter: str, means: str
    ) -> None:
        """3.5c"""
        visit = book(services)
        await known.say(letter)
        assert means in echo.texts[0]
        assert services.booking.get(visit).status == "booked"

    async def test_letters_without_a_visit_are_told_that_there_is_none(self, known: Twilio, echo: Echo) -> None:
        for letter in ("C", "R", "X"):
            assert "no visit ahead" in (await known.say(letter))[0]
        assert not echo.heard

    async def test_a_sign_or_a_letter_answers_a_question_and_is_thanks_for_anything_else(self, known: Twilio, echo: Echo) -> None:
        for text in ("👍", "y", "N"):
            await known.say(text)
        echo.form_at_work = "booking_form"
        await known.say("👍🏽")
        assert echo.texts == ["thank you", "yes", "no", "yes"]

    async def test_a_reaction_to_a_text_is_neither_understood_nor_obeyed(self, known: Twilio, echo: Echo, base: Engine) -> None:
        for text in ("Liked “Call 911 now.”", 'Reacted 👍 to "you will get no more texts from us"', "Loved an image"):
            assert await known.say(text) == []
        echo.form_at_work = "booking_form"
        assert "in words" in (await known.say("Liked “Shall I book it?”"))[0]
        assert not echo.heard
        assert not consents(base)

    async def test_agent_brings_a_person(self, known: Twilio, echo: Echo) -> None:
        """3.5c"""
        await known.say("AGENT")
        assert echo.texts == ["I want to talk to a person"]

    async def test_nobody_who_stopped_texts_is_told_that_a_person_will_text(self, known: Twilio, echo: Echo) -> None:
        """3.6c: staff cannot."""
        asked = "I want to talk to a person"
        echo.says[asked] = said("Somebody will text you soon.", zone="task", topics=["talk_to_human"])
        assert await known.say("AGENT") == ["Somebody will text you soon."]
        await known.say("STOP")
        (answer,) = await known.say("AGENT")
        assert "phone you" in answer
        assert echo.texts == [asked, asked]


class TestPages:
    """What is longer than a text is a short answer, and the address of the page with all of it."""

    PAGE = f"{PUBLIC}/answers/pain"

    async def test_the_address_stands_beside_an_answer_when_that_costs_nothing(self, known: Twilio, echo: Echo) -> None:
        echo.says["hurt"] = said("It is mild.", topics=["pain"])
        assert await known.say("hurt") == [f"It is mild.\nMore: {self.PAGE}"]
        assert "That was all" in (await known.say("MORE"))[0]

    async def test_and_is_what_more_brings_otherwise(self, known: Twilio, echo: Echo) -> None:
        """3.8f"""
        echo.says["hurt"] = said("It is mild. " * 13, topics=["pain"])
        (answer,) = await known.say("hurt")
        assert "http" not in answer
        (more,) = await known.say("MORE")
        assert more.endswith(self.PAGE)
        assert segments(more) == 1
        assert "That was all" in (await known.say("MORE"))[0]

    async def test_a_cut_answer_ends_with_it(self, known: Twilio, echo: Echo) -> None:
        """3.8f"""
        echo.says["long"] = said(" ".join(f"Sentence number {n} says something." for n in range(20)), topics=["pain"])
        parts = await known.say("long")
        assert parts[-1].endswith(f"MORE for the rest, or {self.PAGE}")
        assert all(segments(text) == 1 for text in parts)

    async def test_the_page_of_one_answer_is_not_the_rest_of_several(self, known: Twilio, echo: Echo) -> None:
        long = " ".join(f"Sentence number {n} says something." for n in range(20))
        echo.says["both"] = said(long, topics=["cost", "pain"])
        parts = await known.say("both")
        assert parts[-1].endswith("MORE for the rest.")

    @pytest.mark.parametrize(("topic", "zone"), [("greet", "answer"), ("pain", "clarify"), ("pain", "task")])
    async def test_what_is_no_answer_has_no_page(self, known: Twilio, echo: Echo, topic: str, zone: str) -> None:
        echo.says["well"] = said("Well.", topics=[topic], zone=zone)
        assert await known.say("well") == ["Well."]

    async def test_what_a_form_asks_has_no_page(self, known: Twilio, echo: Echo) -> None:
        echo.form_at_work = "booking_form"
        echo.says["hurt"] = said("It is mild. What is your full name?", topics=["pain"])
        assert await known.say("hurt") == ["It is mild. What is your full name?"]

    async def test_a_clinic_may_have_pages_of_its_own(
        self, sms_settings: Settings, base: Engine, services: Services, clock: Clock, echo: Echo
    ) -> None:
        own = sms_settings.model_copy(update={"sms_link": "https://clinic.example/faq#{topic}"})
        sms = Sms.build(own, base, services, clock=clock)
        sms.channel.engine = echo
        echo.says["hurt"] = said("It is mild.", topics=["pain"])
        async with httpx.AsyncClient(transport=httpx.ASGITransport(application(sms)), base_url="http://test") as client:
            assert (await Twilio(client).say("hurt"))[-1] == "It is mild.\nMore: https://clinic.example/faq#pain"
