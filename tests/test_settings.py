"""Settings come from the environment alone; a wrong one is named at start, with the reason and never with a secret."""

import stat
from pathlib import Path

import pytest

from bot.settings import PREFIX, BadSetting, Settings

WRONG = {
    "PORT": ["0", "65536", "eighty", ""],
    "DATABASE_URL": ["mysql://host/db", "nonsense", "oracle://x"],
    "SECRET": ["too short"],
    "SESSION_HOURS": ["0", "1000", "a day"],
    "ALLOWED_ORIGINS": ["clinic.example", "https://clinic.example/page", "https://ok.example, javascript:alert(1)"],
    "STRICTNESS": ["lenient", ""],
    "REQUIRE_APPROVAL": ["perhaps"],
    "LOG_LEVEL": ["loud"],
    "LIMIT_MESSAGES": ["often", "20 per fortnight"],
    "PUBLIC_URL": ["stipple.clinic.example", "ftp://stipple.example"],
    "REDIS_URL": ["http://cache"],
    "TWILIO_ACCOUNT": ["AC123"],
    "TWILIO_SENDER": ["0121 555"],
    "SMS_KEYWORDS": ["both"],
    "SMS_HOURLY": ["0"],
    "SMTP_URL": ["mail.example:587", "http://mail.example", "smtp://", "smtp://mail.example:post", "smtp://mail.example/inbox"],
    "SMTP_FROM": ["front desk", "Desk <desk>", "a@b.example\nBcc: c@d.example"],
    "WEBHOOK_URL": ["clinic.example/hook", "ftp://clinic.example"],
    "WEBHOOK_SECRET": ["short"],
    "KEEP_CONVERSATIONS_DAYS": ["0", "for ever"],
    "KEEP_REQUESTS_DAYS": ["0"],
}


def test_defaults_need_no_environment() -> None:
    settings = Settings.read({})
    assert (settings.port, settings.folder, settings.strictness) == (8300, Path("var"), "balanced")
    assert settings.host == "127.0.0.1", "a fresh clone must not listen to the world"
    assert not settings.require_approval


def test_environment_wins_over_defaults_and_other_variables_are_left_alone() -> None:
    environ = {"STIPPLE_PORT": "9000", "STIPPLE_REQUIRE_APPROVAL": "true", "PORT": "1", "HOME": "/"}
    settings = Settings.read(environ)
    assert (settings.port, settings.require_approval) == (9000, True)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_wrong_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(BadSetting) as caught:
        Settings.read({PREFIX + name: value})
    [line] = str(caught.value).splitlines()
    setting, _, reason = line.partition(": ")
    assert setting == PREFIX + name
    assert reason
    assert "Value error" not in reason


def test_every_wrong_setting_is_told_at_once() -> None:
    with pytest.raises(BadSetting) as caught:
        Settings.read({"STIPPLE_PORT": "0", "STIPPLE_LOG_LEVEL": "loud"})
    assert {line.partition(":")[0] for line in str(caught.value).splitlines()} == {"STIPPLE_PORT", "STIPPLE_LOG_LEVEL"}


def test_misspelt_setting_is_refused_instead_of_ignored() -> None:
    with pytest.raises(BadSetting, match=r"^STIPPLE_STRICTNES: there is no setting of this name$"):
        Settings.read({"STIPPLE_STRICTNES": "strict"})


@pytest.mark.parametrize(
    ("name", "value"), [("SECRET", "hunter2"), ("WEBHOOK_SECRET", "hunter2"), ("SMTP_URL", "smtp://desk:hunter2/x@mail.example")]
)
def test_complaint_does_not_repeat_a_secret(name: str, value: str) -> None:
    with pytest.raises(BadSetting) as caught:
        Settings.read({PREFIX + name: value})
    assert "hunter2" not in str(caught.value)


def test_secrets_do_not_show_when_settings_are_printed() -> None:
    secrets = {
        "TWILIO_TOKEN": "t0k3n",
        "TWILIO_TOKEN_OLD": "0ld",
        "SECRET": "s" * 40,
        "SMTP_URL": "smtp://desk:p0st@mail.example",
        "WEBHOOK_SECRET": "h" * 40,
        "CALDAV_PASSWORD": "c4l",
    }
    settings = Settings.read({PREFIX + name: value for name, value in secrets.items()})
    assert [value for value in (*secrets.values(), "p0st") if value in repr(settings)] == []
    assert "p0st" not in repr(settings.mailbox("hello@clinic.example"))


def test_webhook_is_not_sent_unsigned() -> None:
    with pytest.raises(BadSetting, match=r"^STIPPLE_WEBHOOK_SECRET: is needed with STIPPLE_WEBHOOK_URL$"):
        Settings.read({"STIPPLE_WEBHOOK_URL": "https://clinic.example/hook"})


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("smtp://desk%40clinic.example:p%2Fw@mail.example", ("mail.example", 587, "starttls", "desk@clinic.example", "p/w")),
        ("smtps://u:p@mail.example:4650", ("mail.example", 4650, "tls", "u", "p")),
        ("smtp+plain://127.0.0.1", ("127.0.0.1", 25, "none", "", "")),
    ],
)
def test_mail_server_is_read_from_its_address(url: str, told: tuple[object, ...]) -> None:
    box = Settings.read({"STIPPLE_SMTP_URL": url}).mailbox("hello@clinic.example")
    assert box
    assert (box.host, box.port, box.security, box.user, box.password) == told
    assert box.sender == "hello@clinic.example"
    assert Settings.read({}).mailbox("hello@clinic.example") is None


def test_signing_key_is_made_once_for_the_owner_alone(tmp_path: Path) -> None:
    settings = Settings.read({"STIPPLE_FOLDER": str(tmp_path / "new")})
    key = settings.signing_key()
    assert len(key) >= 32
    assert settings.signing_key() == key
    assert stat.S_IMODE((tmp_path / "new" / "signing-key").stat().st_mode) == 0o600
    assert not (tmp_path / "new" / "signing-key").read_text().isspace()


def test_signing_key_that_is_set_is_used_and_not_written(tmp_path: Path) -> None:
    settings = Settings.read({"STIPPLE_FOLDER": str(tmp_path), "STIPPLE_SECRET": "k" * 32})
    assert settings.signing_key() == "k" * 32
    assert list(tmp_path.iterdir()) == []


def test_every_setting_says_what_it_is_for() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
