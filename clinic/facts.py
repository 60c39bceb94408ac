"""What answers may say about the clinic: the values of the {variables} in the wording."""

import datetime as dt
from collections.abc import Iterator

import phonenumbers
from babel.core import Locale, UnknownLocaleError
from babel.dates import format_date, format_time, get_day_names, get_timezone_name
from babel.lists import format_list

from clinic.practice import WEEKDAYS, Practice

HORIZON = dt.timedelta(days=60)


class ClinicFacts:
    """Formats what `clinic.yml` says in the manner of its country."""

    def __init__(self, practice: Practice) -> None:
        self._practice = practice
        try:
            self._locale = Locale.parse(f"en_{practice.country}")
        except UnknownLocaleError:
            self._locale = Locale.parse("en")
        self._steady = self._steady_values()

    def values(self, now: dt.datetime) -> dict[str, str | bool]:
        """All values at an aware moment. Names that begin with `clinic_has_` or `clinic_open_` are true or false."""
        practice, local = self._practice, now.astimezone(self._practice.zone)
        closes = [ends for begins, ends in practice.open_on(local.date()) if begins <= local.time() < ends]
        opening = next(self._openings(local), None)
        return self._steady | {
            "clinic_open_now": bool(closes),
            "clinic_closes": self._time(closes[0]) if closes else "",
            "clinic_next_opening": self.moment(opening) if opening else "",
        }

    def _steady_values(self) -> dict[str, str | bool]:
        p = self._practice
        payment = p.payment
        details = [text for text in (payment.deposit, payment.instalments, payment.offers) if text] if payment else []
        prices = [f"{service.name} {service.price}" for service in p.services if service.price]
        return {
            "clinic_name": p.name,
            "clinic_address": p.address,
            "clinic_has_directions": bool(p.directions),
            "clinic_directions": p.directions or "",
            "clinic_phone": self.phone(p.phone),
            "urgent_phone": self.phone(p.urgent_phone),
            "clinic_email": p.email,
            "clinic_hours": self._week(),
            "clinic_has_prices": bool(prices),
            "clinic_prices": "; ".join(prices),
            "clinic_has_payment": bool(payment),
            "clinic_payment_methods": format_list(payment.methods, locale=self._locale) if payment else "",
            "clinic_payment_details": " ".join(details),
            "clinic_has_insurance": bool(p.insurance),
            "clinic_insurance": p.insurance or "",
            "emergency_number": p.emergency.number,
            "crisis_line": p.emergency.crisis_line,
            "crisis_name": p.emergency.crisis_name,
        }

    def phone(self, number: str) -> str:
        """A telephone number as people of the clinic's country write it."""
        parsed = phonenumbers.parse(number, self._practice.country)
        here = parsed.country_code == phonenumbers.country_code_for_region(self._practice.country)
        style = phonenumbers.PhoneNumberFormat.NATIONAL if here else phonenumbers.PhoneNumberFormat.INTERNATIONAL
        return phonenumbers.format_number(parsed, style)

    def _openings(self, after: dt.datetime) -> Iterator[dt.datetime]:
        day = after.date()
        while day <= after.date() + HORIZON:
            for begins, _ in self._practice.open_on(day):
                moment = dt.datetime.combine(day, begins, self._practice.zone)
                if moment > after:
                    yield moment
            day += dt.timedelta(days=1)

    def _week(self) -> str:
        """The weekly hours, with neighbouring days of the same hours drawn together."""
        names = get_day_names("abbreviated", locale=self._locale)
        runs: list[tuple[int, int, list[tuple[dt.time, dt.time]]]] = []
        for index, weekday in enumerate(WEEKDAYS):
            spans = self._practice.hours.on(weekday)
            if runs and runs[-1][1] == index - 1 and runs[-1][2] == spans:
                runs[-1] = (runs[-1][0], index, spans)
            elif spans:
                runs.append((index, index, spans))
        return ", ".join(
            f"{names[first] if first == last else f'{names[first]}-{names[last]}'} "
            + " & ".join(f"{self._time(begins)}-{self._time(ends)}" for begins, ends in spans)
            for first, last, spans in runs
        )

    def _time(self, time: dt.time) -> str:
        return _plain(format_time(time, "short", locale=self._locale)).replace(":00 ", " ")

    def moment(self, moment: dt.datetime, *, short: bool = False) -> str:
        """An aware moment by the clinic's clocks: "Friday, March 6, 3 PM", or short enough for a button."""
        local = moment.astimezone(self._practice.zone)
        return f"{self._day(local.date(), short)}, {self._time(local.time())}"

    def time(self, moment: dt.datetime) -> str:
        """The time of an aware moment by the clinic's clocks: "9 AM"."""
        return self._time(moment.astimezone(self._practice.zone).time())

    def days(self, first: dt.date, last: dt.date) -> str:
        """A day, or the first and the last of several."""
        return " - ".join(self._day(day, short=True) for day in dict.fromkeys((first, last)))

    def zone(self, moment: dt.datetime) -> str:
        """What people call the time by which the clinic's clocks go at a moment: "Eastern Standard Time"."""
        return str(get_timezone_name(moment.astimezone(self._practice.zone), locale=self._locale))

    def _day(self, day: dt.date, short: bool) -> str:
        patterns = ("EEE, MMM d", "EEEE, MMMM d") if self._locale.territory == "US" else ("EEE d MMM", "EEEE d MMMM")
        return _plain(format_date(day, patterns[0] if short else patterns[1], locale=self._locale))


def _plain(text: str) -> str:
    # Narrow and unbreakable spaces would turn a text message of 160 characters into one of 70.
    return text.replace("\u202f", " ").replace("\u00a0", " ")
