"""Training, done only when something that the model is made from has changed."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.settings import Settings

DATA, CONFIG, DOMAIN = Path("data"), Path("config.yml"), Path("domain.yml")
SAFETY, FOLLOW_UPS, SHORTHAND = DATA / "safety", DATA / "follow_ups", DATA / "shorthand.yml"
CODE = Path(__file__).parent / "nlu"
NAME_LENGTH = 12


def train(settings: Settings) -> Path | None:
    """Trains a model and returns its file; None when the newest one was made from the same things."""
    target = settings.models / f"stipple-{fingerprint()}.tar.gz"
    if target.exists():
        # Rasa's own commands take the newest.
        os.utime(target)
        return None
    # Rasa's progress bars are of no use in a log.
    os.environ["TQDM_DISABLE"] = "1"
    from rasa.model_training import train as rasa_train

    settings.models.mkdir(parents=True, exist_ok=True)
    # Made beside and put in place when it is whole: a server that starts meanwhile reads no half of a model.
    with TemporaryDirectory(dir=settings.models) as made:
        result = rasa_train(str(DOMAIN), str(CONFIG), [str(DATA)], output=made, fixed_model_name=target.name)
        if result.model is None:
            raise RuntimeError("the training made no model")
        return Path(result.model).rename(target)


def fingerprint() -> str:
    """A hash of everything that a model is made from."""
    return _hash([CONFIG, DOMAIN, *DATA.rglob("*.yml"), *_code()])


def component_fingerprint() -> str:
    """A hash of what components are made from besides the data that Rasa hands them: its cache has to know of it."""
    return _hash([*SAFETY.glob("*.yml"), *FOLLOW_UPS.glob("*.yml"), SHORTHAND, *_code()])


def _code() -> list[Path]:
    """What understands, with what the encoder was tuned to."""
    return [*CODE.glob("*.py"), *CODE.glob("*.npz")]


def _hash(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:NAME_LENGTH]
