"""What may be written: the text of a message and the id that its client gives it."""

import unicodedata
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carechat.domain import errors
from carechat.domain.messages import MAX_LENGTH, Draft, Message, clean_client_id, clean_message

DRAFT = Draft("talk", "c1", "doctor@example.com", "patient@example.com", "Hello", reply_to="m1")

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


def test_a_draft_became_what_is_stored_with_all_that_its_sender_chose() -> None:
    stored = Message(id="m2", seq=2, timestamp=datetime(2026, 1, 15, tzinfo=UTC), **asdict(DRAFT))
    assert DRAFT.became(stored)
    assert DRAFT.became(replace(stored, seq=3, delivered=True, read=True))


@pytest.mark.parametrize("name", [one.name for one in fields(Draft)])
def test_what_differs_in_any_field_of_a_draft_did_not_come_of_it(name: str) -> None:
    stored = Message(id="m2", seq=2, timestamp=datetime(2026, 1, 15, tzinfo=UTC), **asdict(DRAFT))
    assert not replace(DRAFT, **{name: "another"}).became(stored)
