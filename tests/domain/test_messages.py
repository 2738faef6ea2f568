"""What may be written: the text of a message and the id that its client gives it."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carechat.domain import errors
from carechat.domain.messages import MAX_LENGTH, clean_client_id, clean_message

anything = st.text(st.characters(exclude_categories=()))


def is_control(character: str) -> bool:
    """Whether a message may not have it."""
    return unicodedata.category(character) in {"Cc", "Cs"} and character not in "\n\t"


@given(anything)
def test_a_text_is_either_refused_or_comes_out_clean(text: str) -> None:
    try:
        clean = clean_message(text)
    except errors.InvalidError:
        return
    assert clean == clean.strip()
    assert 1 <= len(clean) <= MAX_LENGTH
    assert not any(is_control(character) for character in clean)


@given(anything)
def test_cleaning_again_changes_nothing(text: str) -> None:
    try:
        clean = clean_message(text)
    except errors.InvalidError:
        return
    assert clean_message(clean) == clean


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Mn"]), min_size=1))
def test_a_text_without_blanks_stays_as_it_is(text: str) -> None:
    assert clean_message(text) == text


def test_line_breaks_of_every_system_become_newlines() -> None:
    assert clean_message("one\r\ntwo\rthree\nfour\tfive") == "one\ntwo\nthree\nfour\tfive"


@pytest.mark.parametrize("text", ["", " ", "\n", "\t \r\n", "\u2003\u00a0"])
def test_an_empty_text_is_refused(text: str) -> None:
    with pytest.raises(errors.InvalidError, match="empty"):
        clean_message(text)


@pytest.mark.parametrize("character", ["x", "ä", "漢", "😀", "e\u0301"[0]])
def test_the_limit_counts_code_points_after_trimming(character: str) -> None:
    text = character * MAX_LENGTH
    assert clean_message(f"  {text}\n") == text
    with pytest.raises(errors.InvalidError, match="5,000"):
        clean_message(text + character)


@pytest.mark.parametrize(
    "character", ["\0", "\x07", "\x0b", "\x0c", "\x1b", "\x1f", "\x7f", "\x85", "\ud800"]
)
@pytest.mark.parametrize("text", ["a{}b", "{}b", "a{}"])
def test_a_control_character_is_refused_wherever_it_stands(character: str, text: str) -> None:
    with pytest.raises(errors.InvalidError, match="character"):
        clean_message(text.format(character))


def test_html_and_emoji_sequences_are_text_like_any_other() -> None:
    text = "<script>alert(1)</script> 👩‍⚕️ \u202e"
    assert clean_message(text) == text.strip()


@given(anything)
def test_a_client_id_is_either_refused_or_unchanged(client_id: str) -> None:
    try:
        assert clean_client_id(client_id) == client_id
    except errors.InvalidError:
        return
    assert 1 <= len(client_id) <= 64


@pytest.mark.parametrize("client_id", ["", "x" * 65, "a\0", "a\nb", "\ud800"])
def test_a_client_id_that_cannot_be_is_refused(client_id: str) -> None:
    with pytest.raises(errors.InvalidError):
        clean_client_id(client_id)


@pytest.mark.parametrize("client_id", ["x", "x" * 64, "7f9c24e5-…", "{$gt: 1}"])
def test_a_client_id_may_be_any_short_text(client_id: str) -> None:
    assert clean_client_id(client_id) == client_id
