"""Every setting, in one typed table: read once from the environment, and wrong ones named at start."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from clinic import database

PREFIX = "STIPPLE_"


class BadSetting(Exception):
    """A setting cannot be used; the message names it."""


def _database_url(url: str) -> str:
    database.connect(url).dispose()
    return url


def _secret(text: str) -> str:
    if text and len(text) < 32:
        raise ValueError("must be at least 32 characters long")
    return text


class Settings(BaseModel):
    """The settings. Each is read from the environment as `STIPPLE_` and its name in capitals."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8300, ge=1, le=65535, description="Port to listen on.")
    folder: Path = Field(Path("var"), description="Folder for the database, the encoder's files and the signing key.")
    clinic: Path = Field(Path("clinic.yml"), description="The file that describes the practice.")
    models: Path = Field(Path("models"), description="Folder of the trained models.")
    database_url: Annotated[str, AfterValidator(_database_url)] = Field(
        "sqlite:///var/stipple.db", description="Where conversations are kept: a sqlite:/// or postgresql:// URL."
    )
    secret: Annotated[str, AfterValidator(_secret)] = Field(
        "", description="Key that signs visitors' tokens; when empty, one is made and kept in the folder."
    )
    session_hours: int = Field(24, ge=1, le=24 * 30, description="Hours for which a visitor's token is good.")
    require_approval: bool = Field(
        False, description="Send visitors to a person instead of giving an answer that no clinician has approved."
    )
    strictness: Annotated[str, Field(pattern="^(relaxed|balanced|strict)$")] = Field(
        "balanced", description="How sure to be before answering: relaxed, balanced or strict."
    )
    log_level: Annotated[str, Field(pattern="^(debug|info|warning|error)$")] = Field(
        "info", description="How much to log: debug, info, warning or error."
    )

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Reads the settings from the environment.

        Raises:
            BadSetting: one line for each variable that cannot be used, or that no setting goes by.
        """
        given = {name.removeprefix(PREFIX).lower(): value for name, value in environ.items() if name.startswith(PREFIX)}
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            lines = [f"{PREFIX}{str(e['loc'][0]).upper()}: {_reason(e['type'], e['msg'])}" for e in error.errors()]
            raise BadSetting("\n".join(lines)) from error

    def signing_key(self) -> str:
        """The key that signs visitors' tokens, made and kept for the owner's eyes alone when none is set."""
        if self.secret:
            return self.secret
        path = self.folder / "signing-key"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(48))
        return path.read_text().strip()


def _reason(kind: str, message: str) -> str:
    return "there is no setting of this name" if kind == "extra_forbidden" else message.removeprefix("Value error, ")
