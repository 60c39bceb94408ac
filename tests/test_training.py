"""What a model is made from decides whether it is trained anew."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bot import training


@pytest.mark.parametrize("fingerprint", [training.fingerprint, training.component_fingerprint])
@pytest.mark.parametrize("name", ["encoder_tuning.npz", "classifier.py"])
def test_what_understands_counts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, fingerprint: Callable[[], str]
) -> None:
    monkeypatch.setattr(training, "CODE", tmp_path)
    (tmp_path / name).write_bytes(b"one")
    before = fingerprint()
    assert fingerprint() == before
    (tmp_path / name).write_bytes(b"other")
    assert fingerprint() != before
