"""Telephone numbers, as people write them and as the database keeps them."""

import phonenumbers

from clinic.errors import NotAPhone


def e164(number: str, country: str) -> str:
    """A number as people write it in a country (`US`), or from abroad with a plus, in E.164 form: +12125550142.

    Raises:
        NotAPhone: no telephone could have this number.
    """
    try:
        parsed = phonenumbers.parse(number, country)
    except phonenumbers.NumberParseException as error:
        raise NotAPhone(f"'{number}' is not a telephone number") from error
    if phonenumbers.is_possible_number_with_reason(parsed) != phonenumbers.ValidationResult.IS_POSSIBLE:
        raise NotAPhone(f"'{number}' is not a telephone number")
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
