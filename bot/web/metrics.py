"""What Prometheus may know: how many turns, of which zone, how long they took, what failed, what waits. Nothing personal."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from bot.reply import Reply

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)


class Metrics:
    """The counters of one application."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._turns = Counter("stipple_turns", "Turns answered", ["zone", "channel"], registry=self._registry)
        self._safety = Counter("stipple_safety", "Turns that raised an alarm", ["level", "channel"], registry=self._registry)
        self._seconds = Histogram(
            "stipple_turn_seconds", "Time from message to reply", ["channel"], buckets=_BUCKETS, registry=self._registry
        )
        self._errors = Counter("stipple_errors", "Requests that failed", ["kind"], registry=self._registry)

        self._outbox = Gauge("stipple_outbox", "Messages to people and systems", ["state"], registry=self._registry)

    def turn(self, reply: Reply, channel: str) -> None:
        """Counts a turn."""
        self._turns.labels(reply.zone, channel).inc()
        self._seconds.labels(channel).observe(reply.ms / 1000)
        if reply.safety:
            self._safety.labels(reply.safety, channel).inc()

    def error(self, kind: str) -> None:
        """Counts a failure."""
        self._errors.labels(kind).inc()

    def outbox(self, counts: Mapping[str, int]) -> None:
        """Notes how many messages wait, are being sent, and were given up on."""
        for state in ("waiting", "sending", "dead"):
            self._outbox.labels(state).set(counts.get(state, 0))

    def text(self) -> bytes:
        """All counters, in Prometheus' text format."""
        return generate_latest(self._registry)
