"""What the clinic's services may refuse, as one family: a `code` for whoever words it, and nothing personal."""

import traceback


class ClinicError(Exception):
    """A service could not do what it was asked."""

    code = "refused"


class UnknownService(ClinicError):
    """No service of `clinic.yml` has this id, or no practitioner does it."""

    code = "unknown_service"


class UnknownResource(ClinicError):
    """No practitioner or room of `clinic.yml` has this id, or it does not do the service."""

    code = "unknown_resource"


class SlotUnavailable(ClinicError):
    """The clinic does not offer this start; `reason` is one of `clinic.slots.Reason`."""

    code = "slot_unavailable"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class SlotTaken(ClinicError):
    """Someone else has the slot."""

    code = "slot_taken"


class TooManyHolds(ClinicError):
    """The holder keeps as many slots as one holder may."""

    code = "too_many_holds"


class HoldExpired(ClinicError):
    """The hold is over: released, run out, or never this holder's."""

    code = "hold_expired"


class AlreadyRenewed(ClinicError):
    """A hold can be renewed once."""

    code = "already_renewed"


class NotFound(ClinicError):
    """Nothing has this id."""

    code = "not_found"


class Ambiguous(ClinicError):
    """Several have an id that begins so."""

    code = "ambiguous"


class Stale(ClinicError):
    """It has changed since it was read; read it again."""

    code = "stale"


class NotAllowed(ClinicError):
    """Its state does not allow this."""

    code = "not_allowed"


class KeyReused(ClinicError):
    """The idempotency key belongs to a different action."""

    code = "key_reused"


class TooManyTries(ClinicError):
    """Too many look-ups went wrong; wait an hour or ask a person."""

    code = "too_many_tries"


class UpcomingVisits(ClinicError):
    """The person still has visits ahead."""

    code = "upcoming_visits"


class NotAPhone(ClinicError, ValueError):
    """This is not a telephone number."""

    code = "not_a_phone"


def fault(error: BaseException) -> str:
    """What a log may hold of an error nobody expected: its type and where it was raised; its text may quote a visitor."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" {frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"
