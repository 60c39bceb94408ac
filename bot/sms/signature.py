"""Whether a request is Twilio's: its own validator, against the public address that is configured."""

from collections.abc import Collection
from typing import Literal
from urllib.parse import parse_qs

from starlette.datastructures import ImmutableMultiDict
from twilio.request_validator import RequestValidator

Fields = ImmutableMultiDict[str, str]
Refusal = Literal["not configured", "no signature", "not signed by us or for this address", "no hash of the body"]


class Signatures:
    """Checks signatures under one token, or two while one replaces the other.

    The address that Twilio has signed is put together from the configured one, never from the request: behind a proxy
    the request knows neither its scheme nor its host.
    """

    def __init__(self, public_url: str, tokens: Collection[str]) -> None:
        self._public_url = public_url.rstrip("/")
        self._validators = [RequestValidator(token) for token in tokens if token]

    def refusal(self, path: str, query: str, body: Fields | str, signature: str) -> Refusal | None:
        """Why a request is not taken for Twilio's; None when it is. `body` is the form's fields, or a JSON body as it came."""
        if not self._public_url or not self._validators:
            return "not configured"
        if not signature:
            return "no signature"
        # Without its hash in the address a JSON body is not part of what was signed.
        if isinstance(body, str) and not parse_qs(query).get("bodySHA256"):
            return "no hash of the body"
        url = self.url(path) + (f"?{query}" if query else "")
        # Each is tried, so that the time it takes does not tell which token is whose.
        results = [validator.validate(url, body, signature) for validator in self._validators]
        return None if any(results) else "not signed by us or for this address"

    def url(self, path: str) -> str:
        """The public address of a path of ours."""
        return self._public_url + path


def sign(token: str, url: str, fields: dict[str, str]) -> str:
    """The signature that Twilio would send."""
    signature: str = RequestValidator(token).compute_signature(url, fields)
    return signature
