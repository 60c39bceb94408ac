"""Where an answer comes from is said when asked, and what was said is said again; nothing is made up for either."""

from tests.conftest import Talk


async def test_source_of_the_last_answer_is_named(talk: Talk) -> None:
    answer = await talk("does it hurt?")
    reply = await talk("where does that come from?")
    assert reply.topics == ["ask_source"]
    assert all(source.title in talk.last for source in answer.sources)
    assert [s.id for s in reply.sources] == [s.id for s in answer.sources]


async def test_source_is_still_known_after_small_talk(talk: Talk) -> None:
    answer = await talk("does it hurt?")
    await talk("thanks")
    await talk("where did you get that from?")
    assert answer.sources[0].title in talk.last


async def test_without_an_answer_no_source_is_claimed(talk: Talk) -> None:
    reply = await talk("where does that come from?")
    assert reply.sources == []
    assert "not taken from a document" in talk.last


async def test_said_again_word_for_word_with_its_sources(talk: Talk) -> None:
    answer = await talk("does it hurt?")
    said = talk.last
    reply = await talk("say that again please")
    assert talk.last == said
    assert reply.sources == answer.sources


async def test_nothing_is_repeated_before_anything_was_said(talk: Talk) -> None:
    await talk("repeat that please")
    assert "have not said anything yet" in talk.last
