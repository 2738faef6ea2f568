"""A seal: what was sealed is opened as it was, and nothing else is opened at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carechat.realtime.seal import Seal
from carechat.realtime.wire import GarbledError

SEAL = Seal("a secret", "clinic")
OTHERS = [Seal("another secret", "clinic"), Seal("a secret", "another clinic")]


@given(st.binary())
def test_what_was_sealed_is_opened_by_all_who_know_the_secret(data: bytes) -> None:
    assert Seal("a secret", "clinic").open(SEAL.close(data)) == data


@given(st.binary(), st.data())
def test_what_was_changed_on_the_way_is_garbled(data: bytes, drawn: st.DataObject) -> None:
    sealed = bytearray(SEAL.close(data))
    sealed[drawn.draw(st.integers(0, len(sealed) - 1))] ^= drawn.draw(st.integers(1, 255))
    with pytest.raises(GarbledError):
        SEAL.open(bytes(sealed))


@given(st.binary())
def test_what_was_never_sealed_is_garbled(data: bytes) -> None:
    with pytest.raises(GarbledError):
        SEAL.open(data)


@pytest.mark.parametrize("other", OTHERS)
def test_another_secret_or_another_database_is_another_clinic(other: Seal) -> None:
    assert other.channel != SEAL.channel
    with pytest.raises(GarbledError):
        SEAL.open(other.close(b"[]"))


def test_nothing_can_be_read_from_the_channels_name() -> None:
    assert SEAL.channel.startswith("carechat:")
    assert "clinic" not in SEAL.channel
