"""The two addresses that Twilio calls: for texts that come in, and for how far those that went out have got."""

import json
import logging
import re
from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from twilio.twiml.messaging_response import MessagingResponse

from bot.sms.service import Sms
from bot.sms.signature import Fields
from bot.web import problems
from clinic.inbox import Incoming

log = logging.getLogger(__name__)
# Twilio calls it, and nobody else can: it is no part of the documented API.
router = APIRouter(prefix="/sms", include_in_schema=False)

INBOUND, STATUS = "/sms/inbound", "/sms/status"
MAX_FIELDS = 200
_SID = re.compile(r"[A-Za-z0-9]{1,64}")
_NUMBER = re.compile(r"\+?\d{3,15}", re.ASCII)
_WORD = re.compile(r"[a-z_]{1,16}")
_OPT_OUT_TYPES = frozenset(("STOP", "START", "HELP"))
_MAP = re.compile(
    r"https?://(?:maps\.apple\.com|maps\.google\.[a-z.]+|www\.google\.[a-z.]+/maps|goo\.gl/maps|maps\.app\.goo\.gl)/\S*"
)


@router.post("/inbound")
async def inbound(request: Request) -> Response:
    """A text that came in; the answer is TwiML. The same text again gets the same answer, and runs nothing twice."""
    fields = await _signed(request)
    if isinstance(fields, Response):
        return fields
    text = incoming(fields)
    if text is None:
        # Signed, so it is Twilio that sent it; but there is nobody to answer.
        log.warning("event=sms.unusable")
        return _twiml((), "")
    sms: Sms = request.app.state.sms
    return _twiml(await sms.channel.receive(text), sms.status_url)


@router.post("/status")
async def status(request: Request) -> Response:
    """How far a text has got that was sent. May come late, twice and out of order."""
    fields = await _signed(request)
    if isinstance(fields, Response):
        return fields
    sid, state = fields.get("MessageSid", ""), fields.get("MessageStatus", fields.get("SmsStatus", "")).lower()
    code = fields.get("ErrorCode", "")
    if _SID.fullmatch(sid) and _WORD.fullmatch(state):
        number = fields.get("To", "")
        sms: Sms = request.app.state.sms
        error = int(code) if code.isascii() and code.isdigit() and len(code) < 7 else None
        sms.reports.reported(sid, state, error or None, number if _NUMBER.fullmatch(number) else None)
    else:
        log.warning("event=sms.unusable_status")
    return Response(status_code=204)


def incoming(fields: Fields) -> Incoming | None:
    """What Twilio's fields say; None when they do not say which text it is, or whose."""
    sid = fields.get("MessageSid") or fields.get("SmsSid") or fields.get("SmsMessageSid") or ""
    number = fields.get("From", "")
    if not _SID.fullmatch(sid) or not _NUMBER.fullmatch(number):
        return None
    body = fields.get("Body", "").replace("\x00", "")
    said = fields.get("OptOutType", "").upper()
    if _MAP.fullmatch(body.strip()):
        body, place = "", "location"
    else:
        place = kind(fields, body)
    return Incoming(sid, number, place, body, said if said in _OPT_OUT_TYPES else None)


def kind(fields: Fields, body: str) -> str:
    """What a text brings: `text`, `picture`, `contact`, `location`, `file` or `empty`."""
    types = [value for name, value in fields.multi_items() if name.startswith("MediaContentType")]
    some = fields.get("NumMedia", "0") not in ("", "0") or types
    if fields.get("Latitude") or any("location" in each for each in types):
        return "location"
    if any(each.startswith(("text/vcard", "text/x-vcard", "text/directory")) for each in types):
        return "contact"
    if any(each.startswith(("image/", "video/")) for each in types):
        return "picture"
    if some:
        return "file"
    return "text" if body.strip() else "empty"


async def _signed(request: Request) -> Fields | Response:
    """The fields of a request, or the refusal of one that Twilio has not signed."""
    raw = await request.body()
    is_json = request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"
    try:
        text = raw.decode()
        fields = _from_json(text) if is_json else _from_form(text)
    except (ValueError, RecursionError):
        return _refused("not a form")
    sms: Sms = request.app.state.sms
    query = request.scope["query_string"].decode("latin-1")
    signature = request.headers.get("x-twilio-signature", "")
    refusal = sms.signatures.refusal(request.scope["path"], query, text if is_json else fields, signature)
    return _refused(refusal) if refusal else fields


def _from_form(text: str) -> Fields:
    return Fields(parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS))


def _from_json(text: str) -> Fields:
    given: Any = json.loads(text)
    if not isinstance(given, dict):
        raise ValueError("not an object")
    return Fields([(name, value) for name, value in given.items() if isinstance(value, str)])


def _refused(reason: str) -> Response:
    log.warning("event=sms.refused reason=%s", reason.replace(" ", "_"))
    return problems.response(problems.NOT_SIGNED)


def _twiml(texts: tuple[str, ...], status_url: str) -> Response:
    answer = MessagingResponse()
    for text in texts:
        answer.message(text, action=status_url or None, method="POST" if status_url else None)
    return Response(str(answer), media_type="text/xml")
