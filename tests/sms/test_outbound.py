"""Texts that go out: checked when they are sent, sent once, and followed until they arrive."""

import dataclasses
import datetime as dt
import time
from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import Engine, select

from bot.settings import Settings
from bot.sms.outbound import Act, TextSender, load_errors
from bot.sms.service import Sms
from bot.sms.twilio_api import TwilioApi
from bot.sms_text import segments
from clinic import consent, database
from clinic.models import SmsSent, SmsStatus
from clinic.outbox import Dropped, Message, Postponed, SendFailed, Worker
from clinic.services import Services
from tests.sms.conftest import CLINIC, NUMBER, PUBLIC, Clock, Echo, Twilio, book, consents, tasks
from tests.sms.fake_twilio import ACCOUNT, TOKEN, FakeTwilio

REMINDER = "visitor.reminder_24h"


@pytest.fixture
def peer() -> Iterator[FakeTwilio]:
    made = FakeTwilio()
    yield made
    made.close()
    assert made.wrong == []


@pytest.fixture
def sms_settings(sms_settings: Settings, peer: FakeTwilio) -> Settings:
    return sms_settings.model_copy(update={"twilio_account": ACCOUNT, "twilio_sender": CLINIC, "twilio_api": peer.url})


@pytest.fixture
def sender(sms: Sms, peer: FakeTwilio, clock: Clock) -> TextSender:
    peer.clock = clock
    assert sms.sender is not None
    sms.sender._api = api(peer)
    return sms.sender


def api(peer: FakeTwilio, patience: float = 30.0) -> TwilioApi:
    """What talks to a Twilio, and waits so many seconds for it."""
    return TwilioApi(ACCOUNT, TOKEN, CLINIC, base=peer.url, timeout=httpx.Timeout(30, read=patience))


@pytest.fixture
def worker(sms: Sms, sender: TextSender, base: Engine, clock: Clock) -> Worker:
    return Worker(base, clock, sms.composer, {"text": sender})


def text(body: str = "Larkfield: visit Tue 3 PM.", kind: str = REMINDER, to: str = NUMBER, message_id: str = "m1") -> Message:
    return Message(message_id, kind, to, text=body)


def part(base: Engine) -> "object":
    with base.connect() as connection:
        return connection.execute(select(SmsSent.__table__).order_by(SmsSent.id.desc())).first()


class TestSending:
    def test_a_text_goes_through_twilios_api(self, sender: TextSender, peer: FakeTwilio) -> None:
        sender.send(text())
        (sent,) = peer.texts
        assert (sent["To"], sent["From"], sent["Body"]) == (NUMBER, CLINIC, "Larkfield: visit Tue 3 PM.")
        assert sent["StatusCallback"] == f"{PUBLIC}/sms/status"

    def test_a_messaging_service_sends_as_well_as_a_number(self, sender: TextSender, peer: FakeTwilio) -> None:
        sender._api = TwilioApi(ACCOUNT, TOKEN, "MG" + "2" * 32, base=peer.url)
        sender.send(text())
        assert peer.texts[0]["MessagingServiceSid"] == "MG" + "2" * 32

    def test_typographic_characters_are_folded(self, sender: TextSender, peer: FakeTwilio) -> None:
        sender.send(text("It’s “soon” – see you…"))
        assert peer.texts[0]["Body"] == 'It\'s "soon" - see you...'

    def test_a_long_text_goes_out_in_numbered_parts(self, sender: TextSender, peer: FakeTwilio) -> None:
        """3.8e"""
        sender.send(text("A person wrote this sentence. " * 12, kind="visitor.handoff_reply"))
        bodies = [sent["Body"] for sent in peer.texts]
        assert [body[:4] for body in bodies] == ["1/3 ", "2/3 ", "3/3 "]
        assert all(segments(body) == 1 for body in bodies)

    def test_parts_that_were_sent_are_not_sent_again(self, sender: TextSender, peer: FakeTwilio) -> None:
        peer.trouble = [None, (500, 0)]
        long = text("A person wrote this sentence. " * 12, kind="visitor.handoff_reply")
        with pytest.raises(SendFailed):
            sender.send(long)
        sender.send(long)
        sender.send(long)
        assert [sent["Body"][:4] for sent in peer.texts] == ["1/3 ", "2/3 ", "3/3 "]

    @pytest.mark.parametrize("trouble", ["cut", "slow", "garbage"])
    def test_a_text_whose_answer_was_lost_is_looked_up_and_not_sent_twice(
        self, sender: TextSender, peer: FakeTwilio, trouble: str
    ) -> None:
        """3.9e"""
        peer.trouble = [trouble]
        if trouble == "slow":
            sender._api = api(peer, patience=0.4)
        with pytest.raises(SendFailed) as failure:
            sender.send(text())
        assert not failure.value.permanent
        while not peer.texts:
            time.sleep(0.01)
        sender._api = api(peer)
        sender.send(text())
        assert len(peer.texts) == 1

    @pytest.mark.parametrize("trouble", ["cut_before", "500"])
    def test_a_text_that_was_not_taken_is_sent_again(self, sender: TextSender, peer: FakeTwilio, trouble: str) -> None:
        """3.9e"""
        peer.trouble = [trouble]
        with pytest.raises(SendFailed) as failure:
            sender.send(text())
        assert not failure.value.permanent
        sender.send(text())
        assert len(peer.texts) == 1

    def test_a_twilio_out_of_reach_is_tried_again_later(self, sender: TextSender, base: Engine) -> None:
        sender._api = TwilioApi(ACCOUNT, TOKEN, CLINIC, base="http://127.0.0.1:9", timeout=httpx.Timeout(0.4))
        with pytest.raises(SendFailed) as failure:
            sender.send(text())
        assert not failure.value.permanent
        assert part(base) is None

    def test_the_reasons_hold_no_number(self, sender: TextSender, peer: FakeTwilio) -> None:
        for trouble in ("cut", (400, 21211), (429, 20429)):
            peer.trouble = [trouble]
            with pytest.raises(SendFailed) as failure:
                sender.send(text(message_id=str(trouble)[:32]))
            assert "555" not in failure.value.reason


class TestErrors:
    """3.3: the table of codes, and the default for those that are not in it."""

    @pytest.mark.parametrize(
        ("code", "act"),
        [
            (21610, "opted_out"),
            (21211, "bad_number"),
            (21614, "bad_number"),
            (21408, "region"),
            (30003, "later"),
            (30005, "not_textable"),
            (30006, "not_textable"),
            (30004, "content"),
            (30007, "content"),
            (30008, "once_more"),
            (30034, "setup"),
            (20429, "slower"),
            (30001, "slower"),
        ],
    )
    def test_the_table(self, code: int, act: Act) -> None:
        """3.3c"""
        assert load_errors().on_loss(code) == act
        assert load_errors().on_refusal(code) == act

    def test_a_code_that_is_not_listed_has_a_default(self) -> None:
        """3.3c"""
        errors = load_errors()
        assert (errors.on_refusal(99999), errors.on_loss(99999), errors.on_loss(None)) == ("give_up", "once_more", "once_more")

    def test_21610_is_an_opt_out_and_a_task_when_it_was_a_reminder(
        self, sender: TextSender, peer: FakeTwilio, base: Engine
    ) -> None:
        """3.3d"""
        peer.trouble = [(400, 21610)]
        with pytest.raises(SendFailed) as failure:
            sender.send(text())
        assert failure.value.permanent
        assert consents(base) == [False]
        (task,) = tasks(base)
        assert (task.reason, task.urgency, task.phone) == ("reminder_refused", "today", NUMBER)
        with pytest.raises(Dropped):
            sender.send(text(message_id="m2"))

    @pytest.mark.parametrize("code", [21211, 21614])
    def test_a_bad_number_gets_no_more_texts_and_staff_ask_for_another(
        self, sender: TextSender, peer: FakeTwilio, base: Engine, code: int
    ) -> None:
        """3.3e"""
        peer.trouble = [(400, code)]
        for message_id in ("m1", "m2"):
            with pytest.raises(SendFailed) as failure:
                sender.send(text(message_id=message_id))
            assert failure.value.permanent
        assert peer.requests == ["POST"]
        assert [task.reason for task in tasks(base)] == ["number_wrong"]

    def test_a_region_that_is_not_enabled_raises_an_alarm_and_stops_nobody_else(
        self, sender: TextSender, peer: FakeTwilio, base: Engine, caplog: pytest.LogCaptureFixture
    ) -> None:
        """3.3f: or a visitor with a number from abroad would end everybody's reminders."""
        caplog.set_level("INFO", logger="bot")
        peer.trouble = [(400, 21408)]
        for message_id in ("m1", "m2"):
            with pytest.raises(SendFailed):
                sender.send(text(to="+442079460123", message_id=message_id))
        assert "event=sms.alarm code=21408" in caplog.text
        assert peer.requests == ["POST"]
        assert [task.reason for task in tasks(base)] == ["number_wrong"]
        sender.send(text(message_id="m3"))

    @pytest.mark.parametrize("code", [30034, 20003])
    def test_an_account_that_is_not_set_up_stops_everything_with_an_alarm(
        self, sender: TextSender, sms: Sms, peer: FakeTwilio, code: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        """3.3f"""
        caplog.set_level("INFO", logger="bot")
        peer.trouble = [(400, code)]
        with pytest.raises(SendFailed):
            sender.send(text())
        assert f"event=sms.alarm code={code} scope=all" in caplog.text
        with pytest.raises(SendFailed, match="blocked all"):
            sender.send(text(to="+12125550199", message_id="m2"))
        assert sms.texting.unblock("all")
        sender.send(text(message_id="m3"))

    def test_429_waits_as_long_as_twilio_says_and_a_little_longer(self, sender: TextSender, peer: FakeTwilio) -> None:
        """3.3i"""
        peer.trouble = [(429, 20429, ("Retry-After", "30"))]
        with pytest.raises(SendFailed) as failure:
            sender.send(text())
        assert not failure.value.permanent
        assert failure.value.retry_after is not None
        assert dt.timedelta(seconds=30) <= failure.value.retry_after <= dt.timedelta(seconds=45)
        sender.send(text())

    def test_a_template_that_carriers_filter_is_stopped(self, sender: TextSender, sms: Sms, peer: FakeTwilio) -> None:
        """3.3h"""
        sender.send(text())
        sms.reports.reported(peer.texts[0]["sid"], "undelivered", 30007, NUMBER)
        with pytest.raises(SendFailed, match="blocked kind"):
            sender.send(text(message_id="m2", to="+12125550199"))
        sender.send(text(message_id="m3", kind="visitor.visit_booked"))

    def test_a_persons_reply_that_carriers_filter_stops_no_other_reply(
        self, sender: TextSender, sms: Sms, peer: FakeTwilio, caplog: pytest.LogCaptureFixture
    ) -> None:
        """3.3h: each has its own words."""
        caplog.set_level("INFO", logger="bot")
        sender.send(text(kind="visitor.handoff_reply"))
        sms.reports.reported(peer.texts[0]["sid"], "undelivered", 30007, NUMBER)
        assert "event=sms.alarm code=30007" in caplog.text
        sender.send(text(message_id="m2", kind="visitor.handoff_reply"))
        assert len(peer.texts) == 2

    @pytest.mark.parametrize("code", [30005, 30006])
    def test_a_landline_found_out_later_gets_no_more_texts(
        self, sender: TextSender, sms: Sms, peer: FakeTwilio, code: int
    ) -> None:
        """3.3e"""
        sender.send(text())
        sms.reports.reported(peer.texts[0]["sid"], "undelivered", code, NUMBER)
        with pytest.raises(SendFailed, match="blocked number"):
            sender.send(text(message_id="m2"))

    @pytest.mark.parametrize(("code", "times", "wait"), [(30003, 4, 3600), (30008, 2, 300), (99999, 2, 300)])
    def test_a_text_that_got_lost_is_sent_again_later_a_few_times(
        self, worker: Worker, services: Services, sms: Sms, peer: FakeTwilio, clock: Clock, code: int, times: int, wait: int
    ) -> None:
        """3.3g"""
        services.consents.record(NUMBER, consent.TEXTS, True, wording="1", channel="web")
        book(services)
        assert worker.run_once() == 1
        for number in range(1, 6):
            assert len(peer.texts) == min(number, times)
            if number <= times:
                sms.reports.reported(peer.texts[-1]["sid"], "undelivered", code, NUMBER)
            clock.advance(seconds=wait - 1)
            assert worker.run_once() == 0
            clock.advance(seconds=2)
            worker.run_once()
        assert len(peer.texts) == times

    def test_a_late_error_of_a_reply_counts_too(self, sms: Sms, base: Engine) -> None:
        sms.reports.reported("SMreply", "failed", 21610, NUMBER)
        assert consents(base) == [False]


class TestStatus:
    """3.3: late, doubled and out of order."""

    async def test_the_furthest_state_counts_and_each_is_kept_once(
        self, sender: TextSender, peer: FakeTwilio, twilio: Twilio, base: Engine
    ) -> None:
        """3.3b"""
        sender.send(text())
        sid = peer.texts[0]["sid"]
        for state in ("sent", "delivered", "queued", "sent", "delivered", "sending"):
            answer = await twilio.post({"MessageSid": sid, "MessageStatus": state, "To": NUMBER}, "/sms/status")
            assert answer.status_code == 204
        assert part(base).status == "delivered"  # type: ignore[attr-defined]
        with base.connect() as connection:
            assert sorted(connection.scalars(select(SmsStatus.status))) == ["delivered", "queued", "sending", "sent"]

    async def test_one_that_comes_before_twilios_answer_counts(
        self, sms: Sms, sender: TextSender, peer: FakeTwilio, base: Engine
    ) -> None:
        """3.3b"""
        sms.reports.reported("SM" + f"{1:032x}", "delivered", None, NUMBER)
        sender.send(text())
        assert part(base).status == "delivered"  # type: ignore[attr-defined]

    async def test_a_loss_that_is_reported_twice_has_consequences_once(self, sms: Sms, base: Engine) -> None:
        """3.3b"""
        for _ in range(3):
            sms.reports.reported("SMx", "undelivered", 21610, NUMBER)
        assert consents(base) == [False]

    async def test_one_without_sense_is_taken_without_a_trace(self, twilio: Twilio, base: Engine) -> None:
        for fields in ({"MessageSid": "SM1"}, {"MessageStatus": "sent"}, {"MessageSid": "SM 1", "MessageStatus": "x" * 99}):
            assert (await twilio.post(fields, "/sms/status")).status_code == 204
        with base.connect() as connection:
            assert connection.execute(select(SmsStatus.sid)).all() == []


class TestWhenAndWhether:
    """3.6: consent at send time, quiet hours where the number is, and how many."""

    def test_a_reminder_needs_consent_at_the_time_it_is_sent(
        self, worker: Worker, services: Services, sms: Sms, base: Engine, peer: FakeTwilio, clock: Clock
    ) -> None:
        """3.6d"""
        services.consents.record(NUMBER, consent.TEXTS, True, wording="1", channel="web")
        book(services)
        database.write(base, lambda connection: sms.texting.opt(connection, NUMBER, False, "sms-1"))
        assert worker.run_once() == 1
        assert peer.texts == []
        assert len(services.outbox.entries("dropped")) == 1

    @pytest.mark.parametrize("kind", [REMINDER, "visitor.visit_booked", "visitor.visit_moved", "visitor.handoff_reply"])
    async def test_one_stop_ends_all_that_nobody_asked_for(
        self, known: Twilio, sender: TextSender, peer: FakeTwilio, kind: str
    ) -> None:
        """3.6c: whatever the text was about that it answers."""
        await known.say("STOP")
        with pytest.raises(Dropped):
            sender.send(text(kind=kind))
        assert peer.texts == []

    async def test_each_yes_and_no_is_kept_with_its_time_its_wording_and_its_conversation(
        self, known: Twilio, services: Services, sms: Sms, clock: Clock
    ) -> None:
        """3.6d"""
        await known.say("STOP")
        clock.advance(hours=1)
        await known.say("START")
        first, second = services.consents.history(NUMBER)
        assert (first.given, second.given) == (False, True)
        assert second.at - first.at == dt.timedelta(hours=1)
        assert {first.wording, second.wording} == {sms.wording.version}
        assert {first.channel, second.channel} == {"sms"}
        assert first.conversation_id == sms.channel.pseudonyms.conversation(NUMBER)

    async def test_stop_is_obeyed_at_once(self, known: Twilio, worker: Worker, services: Services, peer: FakeTwilio) -> None:
        """3.6a"""
        services.consents.record(NUMBER, consent.TEXTS, True, wording="1", channel="web")
        book(services)
        await known.say("stop texting me")
        worker.run_once()
        assert peer.texts == []

    @pytest.mark.parametrize(
        ("number", "local", "until"),
        [
            ("+12125550142", "2026-03-02T20:00-05:00", "2026-03-03T09:00-05:00"),
            ("+12125550142", "2026-03-02T08:59-05:00", "2026-03-02T09:00-05:00"),
            # nine in New York is six in Los Angeles
            ("+13105550142", "2026-03-02T09:30-05:00", "2026-03-02T12:00-05:00"),
            ("+13105550142", "2026-03-02T20:30-05:00", "2026-03-03T12:00-05:00"),
            # the night before the clocks change
            ("+12125550142", "2026-03-07T21:00-05:00", "2026-03-08T09:00-04:00"),
        ],
    )
    def test_nobody_is_woken(self, sender: TextSender, clock: Clock, number: str, local: str, until: str) -> None:
        """3.6e"""
        clock.moment = dt.datetime.fromisoformat(local)
        with pytest.raises(Postponed) as later:
            sender.send(text(to=number))
        assert later.value.until == dt.datetime.fromisoformat(until)

    def test_a_number_that_tells_no_zone_is_at_the_clinics(self, sender: TextSender, clock: Clock, peer: FakeTwilio) -> None:
        """3.6e"""
        sender.send(text(to="+18005550199"))
        sender.send(text(to="+6621234567", message_id="m2"))
        assert len(peer.texts) == 2

    async def test_who_has_just_texted_gets_answers_at_any_hour(
        self, known: Twilio, sender: TextSender, clock: Clock, peer: FakeTwilio
    ) -> None:
        """3.6f"""
        clock.moment = dt.datetime(2026, 3, 3, 8, 0, tzinfo=dt.UTC)
        await known.say("is anybody there?")
        sender.send(text("Yes.", kind="visitor.handoff_reply"))
        with pytest.raises(Postponed):
            sender.send(text(message_id="m2"))
        clock.advance(hours=2)
        with pytest.raises(Postponed):
            sender.send(text("Yes.", kind="visitor.handoff_reply", message_id="m3"))

    def test_a_number_gets_only_so_many_unasked_texts_a_day(self, sender: TextSender, clock: Clock, peer: FakeTwilio) -> None:
        for number in range(4):
            sender.send(text(message_id=f"m{number}"))
        first = clock.moment
        with pytest.raises(Postponed) as later:
            sender.send(text(message_id="m5"))
        assert later.value.until == first + dt.timedelta(days=1)
        sender.send(text("Yes.", kind="visitor.handoff_reply", message_id="m6"))
        sender.send(text(message_id="m7", to="+12125550199"))
        clock.moment = later.value.until
        sender.send(text(message_id="m5"))

    async def test_a_late_reply_is_sent_by_the_worker(
        self, known: Twilio, echo: Echo, sms: Sms, worker: Worker, peer: FakeTwilio, clock: Clock
    ) -> None:
        from clinic.inbox import Incoming

        sms.inbox.receive(Incoming("SMlost", NUMBER, "text", "lost", None))
        clock.advance(seconds=21)
        await sms.channel.sweep()
        assert worker.run_once() == 1
        assert [sent["Body"] for sent in peer.texts] == ["You said: lost"]


def test_texts_that_nobody_asked_for_tell_nothing_medical() -> None:
    """3.10a: no treatment, no body part, no diagnosis, and STOP in each."""
    from clinic import wording

    texts = wording.load().texts
    for name in type(texts).model_fields:
        template = getattr(texts, name)
        assert "{clinic}" in template
        assert "STOP" in template
        for told in ("{service}", "{practitioner}", "{room}", "{name}", "{pending_reason}", "needling", "treatment", "skin"):
            assert told not in template
        assert (
            segments(
                template.format_map(
                    {"clinic": "Larkfield Skin Clinic", "when_short": "Wed 23 Sep, 11:30 AM", "reference": "ABC234"}
                )
            )
            == 1
        )


def test_a_part_is_a_plain_record() -> None:
    from clinic.texting import Part

    assert {field.name for field in dataclasses.fields(Part)} == set(SmsSent.__table__.columns.keys())
