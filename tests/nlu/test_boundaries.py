"""Where another question begins in a text without a mark or a word to tell: learned from a few examples, kept, and read again."""

from pathlib import Path

import pytest

from bot.nlu.boundaries import BoundaryModel

EXAMPLES = {
    "faq/pain": ["does it hurt", "does it hurt a lot", "is it painful", "is it sore", "will it hurt me"],
    "faq/cost": ["how much is it", "what does it cost", "how much for the face", "how much is a session", "is it dear"],
    "clinic/location": ["where are you", "where are you based", "where is the clinic", "where can i park"],
    "book_appointment": ["can i book for friday", "can i book a session", "book me in please"],
}
TEXTS = [text for texts in EXAMPLES.values() for text in texts]
LABELS = [label for label, texts in EXAMPLES.items() for _ in texts]


@pytest.fixture(scope="module")
def model() -> BoundaryModel:
    return BoundaryModel.train(TEXTS, LABELS)


@pytest.mark.parametrize(
    "parts",
    [
        ["does it hurt a lot", "how much is it"],
        ["where are you", "can i book for friday"],
        ["is it sore", "what does it cost", "where is the clinic"],
        ["where can i park"],
        ["how much is a session"],
        [""],
        ["?"],
        ["wo seid ihr"],
    ],
)
def test_text_is_cut_where_a_question_begins(model: BoundaryModel, parts: list[str]) -> None:
    assert model.cut(" ".join(parts)) == parts


def test_nothing_of_a_text_is_lost(model: BoundaryModel) -> None:
    text = "(does it hurt) – how much is it: 3.50? where are you!"
    assert "".join(model.cut(text)).replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize(
    ("texts", "labels"),
    [
        ([], []),
        (["does it hurt"], ["faq/pain"]),
        (["hello there", "bye for now"], ["greet", "goodbye"]),
        (["does it hurt, a lot", "where are you. i drive"], ["faq/pain", "clinic/location"]),
        (["hurt"], ["faq/pain"]),
    ],
)
def test_from_nothing_that_can_be_set_side_by_side_it_learns_to_cut_nothing(texts: list[str], labels: list[str]) -> None:
    text = "does it hurt how much is it where are you"
    assert BoundaryModel.train(texts, labels).cut(text) == [text]


def test_it_is_kept(model: BoundaryModel, tmp_path: Path) -> None:
    model.save(tmp_path)
    assert BoundaryModel.load(tmp_path).cut("is it painful where are you") == ["is it painful", "where are you"]
    with pytest.raises(OSError, match="boundaries"):
        BoundaryModel.load(tmp_path / "elsewhere")


def test_it_is_the_same_each_time(model: BoundaryModel, tmp_path: Path) -> None:
    again = BoundaryModel.train(TEXTS, LABELS)
    for each, folder in ((model, tmp_path / "a"), (again, tmp_path / "b")):
        folder.mkdir()
        each.save(folder)
    assert (tmp_path / "a/boundaries.json").read_text() == (tmp_path / "b/boundaries.json").read_text()
