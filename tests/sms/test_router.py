"""The two addresses: what is let in, and what comes back."""

import dataclasses
import hashlib
import json

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from bot.sms.service import Sms
from bot.sms.signature import Fields, Signatures
from bot.sms_text import segments
from tests.sms.conftest import NUMBER, OLD_TOKEN, PUBLIC, TOKEN, Echo, Twilio, application, said, texts


async def test_a_signed_text_is_answered_in_twiml(known: Twilio, echo: Echo) -> None:
    assert await known.say("does it hurt?") == ["You said: does it hurt?"]
    assert echo.texts == ["does it hurt?"]


class TestSignature:
    """3.1"""

    async def test_one_that_is_missing_is_a_failure(self, client: httpx.AsyncClient, twilio: Twilio, echo: Echo) -> None:
        """3.1a"""
        answer = await client.post("/sms/inbound", data=twilio.fields("hi"))
        assert answer.status_code == 403
        assert not echo.heard

    async def test_one_of_another_account_is_a_failure(self, twilio: Twilio, echo: Echo) -> None:
        """3.1a"""
        assert (await twilio.post(twilio.fields("hi"), token="c" * 32)).status_code == 403
        assert not echo.heard

    async def test_one_of_another_text_is_a_failure(self, client: httpx.AsyncClient, twilio: Twilio, echo: Echo) -> None:
        """3.1a"""
        fields = twilio.fields("hi")
        signature = RequestValidator(TOKEN).compute_signature(f"{PUBLIC}/sms/inbound", fields)
        answer = await client.post("/sms/inbound", data=fields | {"Body": "ho"}, headers={"X-Twilio-Signature": signature})
        assert answer.status_code == 403
        assert not echo.heard

    async def test_two_tokens_are_good_while_one_replaces_the_other(self, twilio: Twilio) -> None:
        """3.1f"""
        for token in (TOKEN, OLD_TOKEN):
            assert (await twilio.post(twilio.fields("hi"), token=token)).status_code == 200

    async def test_the_public_address_counts_and_not_the_one_that_the_socket_saw(
        self, client: httpx.AsyncClient, twilio: Twilio
    ) -> None:
        """3.1e"""
        fields = twilio.fields("hi")
        seen = RequestValidator(TOKEN).compute_signature("http://127.0.0.1:8300/sms/inbound", fields)
        answer = await client.post("/sms/inbound", data=fields, headers={"X-Twilio-Signature": seen})
        assert answer.status_code == 403
        forged = {"X-Twilio-Signature": seen, "X-Forwarded-Host": "127.0.0.1:8300", "X-Forwarded-Proto": "http"}
        assert (await client.post("/sms/inbound", data=fields, headers=forged)).status_code == 403

    def test_the_address_counts_with_and_without_its_port(self) -> None:
        """3.1d"""
        signatures = Signatures(PUBLIC, (TOKEN,))
        for url in (f"{PUBLIC}/sms/inbound", f"{PUBLIC}:443/sms/inbound"):
            signature = RequestValidator(TOKEN).compute_signature(url, {})
            assert signatures.refusal("/sms/inbound", "", Fields([]), signature) is None

    def test_the_query_is_signed_too(self) -> None:
        """3.1a"""
        signatures = Signatures(PUBLIC, (TOKEN,))
        signature = RequestValidator(TOKEN).compute_signature(f"{PUBLIC}/sms/inbound?a=1", {})
        assert signatures.refusal("/sms/inbound", "a=1", Fields([]), signature) is None
        assert signatures.refusal("/sms/inbound", "a=2", Fields([]), signature)

    async def test_fields_that_repeat_and_fields_that_are_empty_are_signed(
        self, client: httpx.AsyncClient, twilio: Twilio
    ) -> None:
        """3.1b"""

        class Several(dict):  # type: ignore[type-arg]
            def getlist(self, name: str) -> list[str]:
                return ["b", "a", "a"] if name == "Tag" else [self[name]]

        fields = twilio.fields("hi") | {"Tag": "", "Empty": ""}
        signature = RequestValidator(TOKEN).compute_signature(f"{PUBLIC}/sms/inbound", Several(fields))
        body = [*((n, v) for n, v in fields.items() if n != "Tag"), ("Tag", "a"), ("Tag", "b"), ("Tag", "a")]
        answer = await client.post(
            "/sms/inbound",
            content=httpx.QueryParams(body).__str__(),
            headers={"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"},
        )
        assert answer.status_code == 200

    @pytest.mark.parametrize("honest", [True, False])
    async def test_a_json_body_counts_by_its_hash_in_the_address(
        self, client: httpx.AsyncClient, twilio: Twilio, echo: Echo, honest: bool
    ) -> None:
        """3.1c"""
        body = json.dumps(twilio.fields("hi"))
        path = f"/sms/inbound?bodySHA256={hashlib.sha256((body if honest else 'x').encode()).hexdigest()}"
        headers = {
            "X-Twilio-Signature": RequestValidator(TOKEN).compute_signature(PUBLIC + path, {}),
            "Content-Type": "application/json",
        }
        answer = await client.post(path, content=body, headers=headers)
        assert (answer.status_code == 200) is honest
        assert bool(echo.heard) is honest

    async def test_a_json_body_without_its_hash_is_not_signed(
        self, client: httpx.AsyncClient, twilio: Twilio, echo: Echo
    ) -> None:
        """3.1c"""
        signature = RequestValidator(TOKEN).compute_signature(f"{PUBLIC}/sms/inbound", {})
        answer = await client.post("/sms/inbound", json=twilio.fields("hi"), headers={"X-Twilio-Signature": signature})
        assert answer.status_code == 403
        assert not echo.heard

    async def test_it_fails_closed_when_nothing_is_configured(self, sms: Sms) -> None:
        """3.1g"""
        for unset in (Signatures("", (TOKEN,)), Signatures(PUBLIC, ("", ""))):
            bare = application(dataclasses.replace(sms, signatures=unset))
            async with httpx.AsyncClient(transport=httpx.ASGITransport(bare), base_url="http://test") as client:
                assert (await Twilio(client).post(Twilio(client).fields("hi"))).status_code == 403

    async def test_the_reason_is_logged_without_content(
        self, client: httpx.AsyncClient, twilio: Twilio, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("INFO", logger="bot")
        await client.post("/sms/inbound", data=twilio.fields("my secret"))
        await twilio.say("my other secret")
        assert "event=sms.refused reason=no_signature" in caplog.text
        assert "secret" not in caplog.text
        assert NUMBER not in caplog.text
        assert NUMBER[1:] not in caplog.text

    async def test_the_status_address_is_signed_too(self, client: httpx.AsyncClient) -> None:
        """3.3a"""
        assert (await client.post("/sms/status", data={"MessageSid": "SM1", "MessageStatus": "sent"})).status_code == 403


class TestWhatComesIn:
    @pytest.mark.parametrize(
        ("kind", "body", "more"),
        [
            ("pictures", "", {"NumMedia": "1", "MediaContentType0": "image/jpeg", "MediaUrl0": "https://api.twilio.com/m"}),
            ("contacts", "", {"NumMedia": "1", "MediaContentType0": "text/vcard"}),
            ("files", "", {"NumMedia": "1", "MediaContentType0": "application/pdf"}),
            ("maps", "", {"Latitude": "40.7", "Longitude": "-74"}),
            ("maps", "https://maps.google.com/?q=40.7,-74", {}),
            ("empty", "", {}),
            ("empty", " \n ", {}),
        ],
    )
    async def test_pictures_locations_contacts_and_empty_bodies_get_a_kind_reply(
        self, known: Twilio, echo: Echo, kind: str, body: str, more: dict[str, str]
    ) -> None:
        """3.9b"""
        (text,) = await known.say(body, **more)
        assert kind in text
        assert segments(text) == 1
        assert kind == "maps" or not echo.heard

    async def test_what_stands_beside_a_picture_is_answered(self, known: Twilio) -> None:
        note, answer = await known.say("is this normal?", NumMedia="1", MediaContentType0="image/png")
        assert "pictures" in note
        assert answer == "You said: is this normal?"

    async def test_long_texts_of_several_parts_arrive_whole(self, known: Twilio, echo: Echo) -> None:
        await known.say("word " * 320, NumSegments="11")
        assert echo.texts == ["word " * 320]

    async def test_the_longest_text_in_the_largest_characters_arrives(self, known: Twilio, echo: Echo) -> None:
        media = {f"MediaUrl{n}": "https://api.twilio.com/" + "m" * 150 for n in range(10)}
        await known.say("語" * 1600, **media)
        assert len(echo.texts[0]) == 1600

    @pytest.mark.parametrize("number", ["+999123456789", "+8835100000000", "24680", "+442079460123", "12125550142"])
    async def test_unknown_country_codes_and_short_codes_work(self, client: httpx.AsyncClient, echo: Echo, number: str) -> None:
        assert (await Twilio(client, number).say("hi"))[-1] == "You said: hi"

    @pytest.mark.parametrize(
        "change",
        [
            {"From": ""},
            {"From": "whatsapp:+12125550142"},
            {"MessageSid": "", "SmsSid": "", "SmsMessageSid": ""},
            {"From": "+1" * 40},
        ],
    )
    async def test_what_cannot_be_answered_is_taken_without_an_answer(
        self, twilio: Twilio, echo: Echo, change: dict[str, str]
    ) -> None:
        answer = await twilio.post(twilio.fields("hi") | change)
        assert (answer.status_code, texts(answer.text)) == (200, [])
        assert not echo.heard

    async def test_what_is_no_form_is_not_let_in(self, client: httpx.AsyncClient) -> None:
        for content, kind in (
            (b"\xff\xfe", "application/x-www-form-urlencoded"),
            (b"[1]", "application/json"),
            (b"{", "application/json"),
        ):
            answer = await client.post("/sms/inbound", content=content, headers={"Content-Type": kind, "X-Twilio-Signature": "x"})
            assert answer.status_code == 403
        assert (await client.post("/sms/inbound", content=b"x", headers={"Content-Type": "text/plain"})).status_code == 415
        many = "&".join(f"a{n}=1" for n in range(300))
        kind = "application/x-www-form-urlencoded"
        assert (await client.post("/sms/inbound", content=many, headers={"Content-Type": kind})).status_code == 403
        assert (await client.post("/sms/inbound", content=b"a" * 70_000, headers={"Content-Type": kind})).status_code == 413

    async def test_characters_that_xml_cannot_hold_do_not_break_the_answer(self, known: Twilio, echo: Echo) -> None:
        echo.says["bell"] = said("bell \x07 & <b> \ud800".encode("utf-8", "ignore").decode() + "\x00")
        assert await known.say("bell") == ["bell  & <b>"]

    async def test_each_text_of_an_answer_is_followed_by_status_reports(self, known: Twilio) -> None:
        answer = await known.post(known.fields("hi"))
        assert f'action="{PUBLIC}/sms/status"' in answer.text


class TestFuzz:
    """No 5xx, and nothing unsigned reaches the engine."""

    fields = st.dictionaries(
        st.sampled_from(
            [
                "MessageSid",
                "SmsSid",
                "From",
                "To",
                "Body",
                "NumMedia",
                "MediaContentType0",
                "OptOutType",
                "Latitude",
                "MessageStatus",
                "ErrorCode",
                "SmsStatus",
                "x",
            ]
        ),
        st.one_of(
            st.text(max_size=60),
            st.sampled_from(
                ["SM1", "SM2", NUMBER, "STOP", "1", "MORE", "delivered", "failed", "30007", "21610", "C", "cancel", "yes"]
            ),
        ),
        max_size=10,
    )

    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(fields=fields, path=st.sampled_from(["/sms/inbound", "/sms/status"]), signed=st.booleans())
    async def test_signed_or_not(
        self, client: httpx.AsyncClient, echo: Echo, fields: dict[str, str], path: str, signed: bool
    ) -> None:
        """3.9a"""
        echo.heard.clear()
        fields = {name: value.encode("utf-8", "replace").decode() for name, value in fields.items()}
        signature = RequestValidator(TOKEN).compute_signature(PUBLIC + path, fields) if signed else "AAAA"
        answer = await client.post(path, data=fields, headers={"X-Twilio-Signature": signature})
        # Without any field there is no form, which is nothing that Twilio sends.
        assert answer.status_code in ((200, 204) if signed else (403,))
        if not signed:
            assert not echo.heard
        elif path == "/sms/inbound":
            assert not any("went wrong" in text for text in texts(answer.text))

    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        body=st.binary(max_size=400),
        kind=st.sampled_from(["application/x-www-form-urlencoded", "application/json", "text/xml", "", "multipart/form-data"]),
        signature=st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=40),
        query=st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="#"), max_size=40),
    )
    async def test_any_bytes(
        self, client: httpx.AsyncClient, echo: Echo, body: bytes, kind: str, signature: str, query: str
    ) -> None:
        """3.9a"""
        headers = {b"Content-Type": kind.encode(), b"X-Twilio-Signature": signature.encode("latin-1")}
        for path in ("/sms/inbound", "/sms/status"):
            answer = await client.request("POST", f"{path}?{query}", content=body, headers=list(headers.items()))
            assert 400 <= answer.status_code < 500
        assert not echo.heard
