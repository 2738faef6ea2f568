"""Who an account is for: addresses, names and roles as they are stored."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carechat.domain import errors
from carechat.domain.users import Role, clean_email, clean_name, clean_role

anything = st.text(st.characters(exclude_categories=()))


@given(st.emails(domains=st.sampled_from(["example.com", "clinic.example.com"])))
def test_an_address_is_stored_in_lower_case_and_once_cleaned_stays_so(email: str) -> None:
    clean = clean_email(f" {email.upper()} ")
    assert clean == email.lower()
    assert clean_email(clean) == clean


@given(anything)
def test_whatever_is_taken_for_an_address_is_plain_and_has_one_at_sign(text: str) -> None:
    try:
        clean = clean_email(text)
    except errors.InvalidError:
        return
    assert clean.isascii()
    assert " " not in clean
    assert clean.count("@") == 1


@pytest.mark.parametrize(
    "email",
    [
        "",
        "doctor",
        "doctor@",
        "@example.com",
        "doctor@example",
        "a b@example.com",
        "doctor@example.com\n.",
        "doctor@exämple.com",
        "\u212aim@example.com",  # the Kelvin sign, whose lower case is an ordinary k
        "a@b@example.com",
        f"{'x' * 65}@example.com",
        f"doctor@{'x' * 250}.example.com",
        '{"$ne": ""}',
    ],
)
def test_what_is_not_an_address_is_refused(email: str) -> None:
    with pytest.raises(errors.InvalidError):
        clean_email(email)


@given(anything)
def test_a_name_is_either_refused_or_comes_out_clean(name: str) -> None:
    try:
        clean = clean_name(name)
    except errors.InvalidError:
        return
    assert 1 <= len(clean) <= 100
    assert clean == " ".join(clean.split())
    assert clean_name(clean) == clean


def test_a_name_may_have_any_script_and_markup_is_only_text() -> None:
    assert clean_name("  Дарья\n <b>O'Neil</b> ") == "Дарья <b>O'Neil</b>"


@pytest.mark.parametrize("name", ["", " ", "x" * 101, "a\0b", "\x1b[2J", "\udc00"])
def test_a_name_that_cannot_be_is_refused(name: str) -> None:
    with pytest.raises(errors.InvalidError):
        clean_name(name)


def test_a_role_is_found_by_its_name() -> None:
    assert [clean_role(name) for name in ("doctor", " Patient ", "ADMIN")] == list(Role)
    with pytest.raises(errors.InvalidError):
        clean_role("nurse")
