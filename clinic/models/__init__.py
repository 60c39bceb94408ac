"""The tables. `Base.metadata` knows all of them once this package is imported."""

from clinic.models.appointment import (
    ActionResult,
    Appointment,
    AppointmentChange,
    BusyBlock,
    Claim,
    LookupTry,
    Reminder,
)
from clinic.models.base import Base
from clinic.models.consent import Consent
from clinic.models.conversation import Conversation, Turn
from clinic.models.feed import Feed
from clinic.models.handoff import Handoff, HandoffMessage
from clinic.models.outbox import OutboxMessage
from clinic.models.review import SafetyAlarm, UnansweredQuestion
from clinic.models.sms import SmsBlock, SmsInbound, SmsNumber, SmsSent, SmsStatus

__all__ = [
    "ActionResult",
    "Appointment",
    "AppointmentChange",
    "Base",
    "BusyBlock",
    "Claim",
    "Consent",
    "Conversation",
    "Feed",
    "Handoff",
    "HandoffMessage",
    "LookupTry",
    "OutboxMessage",
    "Reminder",
    "SafetyAlarm",
    "SmsBlock",
    "SmsInbound",
    "SmsNumber",
    "SmsSent",
    "SmsStatus",
    "Turn",
    "UnansweredQuestion",
]
