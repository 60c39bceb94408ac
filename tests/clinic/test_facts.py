"""What answers may say about the clinic, in the manner of its country."""

import datetime as dt
from collections.abc import Callable

import pytest

from clinic.facts import ClinicFacts
from clinic.practice import Practice

#: New York: Monday noon; Monday evening; Friday evening before a closed day and a weekend; Christmas
NOON = dt.datetime(2026, 3, 2, 17, 0, tzinfo=dt.UTC)
EVENING = dt.datetime(2026, 3, 3, 0, 0, tzinfo=dt.UTC)
BEFORE_TRAINING = dt.datetime(2026, 3, 20, 0, 0, tzinfo=dt.UTC)

Make = Callable[..., Practice]


def test_open_now_says_until_when(practice: Practice) -> None:
    values = ClinicFacts(practice).values(NOON)
    assert values["clinic_open_now"] is True
    assert values["clinic_closes"] == "1 PM"


def test_closed_now_says_when_it_opens(practice: Practice) -> None:
    values = ClinicFacts(practice).values(EVENING)
    assert values["clinic_open_now"] is False
    assert values["clinic_closes"] == ""
    assert values["clinic_next_opening"] == "Tuesday, March 3, 9 AM"


def test_next_opening_skips_closures_and_closed_days(practice: Practice) -> None:
    # Training on Friday and Saturday, closed on Sunday.
    assert ClinicFacts(practice).values(BEFORE_TRAINING)["clinic_next_opening"] == "Monday, March 23, 9 AM"


def test_no_opening_within_two_months_is_no_promise(make_practice: Make) -> None:
    away = make_practice(closures=[{"first": "2026-03-01", "last": "2026-12-31", "reason": "building works"}])
    assert ClinicFacts(away).values(NOON)["clinic_next_opening"] == ""


def test_neighbouring_days_of_the_same_hours_are_drawn_together(practice: Practice) -> None:
    assert ClinicFacts(practice).values(NOON)["clinic_hours"] == "Mon-Fri 9 AM-1 PM & 2 PM-6 PM, Sat 10 AM-2 PM"


def test_british_clinic_speaks_british(make_practice: Make) -> None:
    british = make_practice(country="GB", time_zone="Europe/London", phone="020 7946 0123", urgent_phone="+442079460124")
    values = ClinicFacts(british).values(EVENING)
    assert values["clinic_phone"] == "020 7946 0123"
    assert values["urgent_phone"] == "020 7946 0124"
    assert values["clinic_hours"] == "Mon-Fri 09:00-13:00 & 14:00-18:00, Sat 10:00-14:00"
    assert values["clinic_next_opening"] == "Tuesday 3 March, 09:00"


def test_country_without_english_of_its_own_still_works(make_practice: Make) -> None:
    japanese = make_practice(country="JP", time_zone="Asia/Tokyo", phone="03-1234-5678", urgent_phone="03-1234-5678")
    assert ClinicFacts(japanese).values(NOON)["clinic_hours"]


def test_american_number_is_written_the_american_way(practice: Practice) -> None:
    assert ClinicFacts(practice).values(NOON)["clinic_phone"] == "(212) 555-0142"


def test_what_the_clinic_does_not_say_is_marked_as_missing(practice: Practice) -> None:
    values = ClinicFacts(practice).values(NOON)
    missing = ("clinic_has_prices", "clinic_has_payment", "clinic_has_insurance", "clinic_has_directions")
    assert {name: values[name] for name in missing} == dict.fromkeys(missing, False)
    assert (values["clinic_prices"], values["clinic_payment_methods"], values["clinic_insurance"]) == ("", "", "")


def test_what_the_clinic_says_is_there(make_practice: Make) -> None:
    rich = make_practice(
        services=[
            {"id": "consultation", "name": "Consultation", "minutes": 30, "price": "free"},
            {"id": "face", "name": "Face", "minutes": 60, "price": "$290"},
        ],
        payment={"methods": ["cash", "card", "transfer"], "deposit": "$50 first.", "offers": "None."},
        insurance="Not billed.",
        directions="Beside the library.",
    )
    values = ClinicFacts(rich).values(NOON)
    assert values["clinic_prices"] == "Consultation free; Face $290"
    assert values["clinic_payment_methods"] == "cash, card, and transfer"
    assert values["clinic_payment_details"] == "$50 first. None."
    assert (values["clinic_insurance"], values["clinic_directions"]) == ("Not billed.", "Beside the library.")
    assert all(values[name] for name in ("clinic_has_prices", "clinic_has_payment", "clinic_has_insurance"))


@pytest.mark.parametrize("country", ["US", "GB", "IE", "AU", "CA", "DE"])
def test_no_value_makes_a_text_message_dear(make_practice: Make, country: str) -> None:
    facts = ClinicFacts(make_practice(country=country, phone="+12125550142", urgent_phone="+12125550143"))
    for name, value in facts.values(EVENING).items():
        assert str(value).isascii(), f"{name}: {value!r} would make a text of 160 characters one of 70"
