"""How often one visitor and one address may ask: counted in memory, or by Redis for several processes together."""

import asyncio
import hashlib
import hmac
import ipaddress
import logging
import math
import time
from typing import Any

from fastapi import Request
from limits import RateLimitItem, parse_many
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import FixedWindowRateLimiter

from bot.settings import Settings
from bot.web import problems
from bot.web.problems import Problem

log = logging.getLogger(__name__)

#: seconds that a visitor waits for Redis at most, before this process counts by itself
_PATIENCE = 0.25


class Limits:
    """The counters of one application. What is counted is a keyed hash: no address is kept."""

    def __init__(self, settings: Settings) -> None:
        self._key = settings.signing_key().encode()
        self._rates = {
            "message": parse_many(settings.limit_messages),
            "address": parse_many(settings.limit_address),
            "session": parse_many(settings.limit_sessions),
            "stream": parse_many(settings.limit_streams),
        }
        self._own = FixedWindowRateLimiter(MemoryStorage())
        self._shared: FixedWindowRateLimiter | None = None
        if settings.redis_url:
            self._shared = FixedWindowRateLimiter(_redis(settings.redis_url))

    async def count(self, kind: str, who: str) -> None:
        """Counts one more `message`, `session` or `stream` of someone, or message of an `address`.

        Raises:
            Problem: that is one too many; it says when to try again.
        """
        key = hmac.new(self._key, f"{kind} {who}".encode(), hashlib.sha256).hexdigest()[:32]
        if (wait := await self._hit(kind, key)) is not None:
            raise Problem(problems.TOO_MANY, retry_after=wait)

    async def _hit(self, kind: str, key: str) -> int | None:
        if self._shared is not None:
            try:
                return await asyncio.to_thread(_hit, self._shared, self._rates[kind], kind, key)
            except StorageError as error:
                log.warning("redis_url cannot be reached, this process counts by itself: %s", type(error).__name__)
        return _hit(self._own, self._rates[kind], kind, key)


def _redis(url: str) -> RedisStorage:
    patience: dict[str, Any] = {"socket_timeout": _PATIENCE, "socket_connect_timeout": _PATIENCE}
    return RedisStorage(url, wrap_exceptions=True, **patience)


def _hit(limiter: FixedWindowRateLimiter, rates: list[RateLimitItem], kind: str, key: str) -> int | None:
    """None when that was within all rates, else the seconds to wait. What is refused counts for no rate."""
    # Looked at before any is counted; in between, another process may have been quicker.
    for ask in (limiter.test, limiter.hit):
        for rate in rates:
            if not ask(rate, kind, key):
                return max(1, math.ceil(limiter.get_window_stats(rate, kind, key).reset_time - time.time()))
    return None


def address(request: Request) -> str:
    """Where a request comes from. IPv6 gives a household a whole network, so it is that which counts."""
    host = request.client.host if request.client else ""
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return host
    return str(ipaddress.ip_network((found, 64), strict=False)) if found.version == 6 else host
