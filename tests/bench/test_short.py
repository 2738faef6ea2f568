"""A short run of `make bench`: the measuring works, and no message is lost, doubled or left out."""

import signal
import subprocess
import sys

import pytest

from tests.bench.product import PROJECT

SECONDS = 240.0
STOP_SECONDS = 60.0


def measured(*parts: str) -> str:
    """What is printed of those parts, each in one short round."""
    command = [sys.executable, "-m", "tests.bench", "--short", "--rounds", "1", "--seconds", "1"]
    named = [word for part in parts for word in ("--only", part)]
    with subprocess.Popen(
        [*command, *named], cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            printed, _ = process.communicate(timeout=SECONDS)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(STOP_SECONDS)
    assert process.returncode == 0, printed
    return printed


@pytest.mark.timeout(SECONDS + STOP_SECONDS)
def test_both_servers_acknowledge_and_deliver_every_message_once_and_number_them_without_gap() -> (
    None
):
    # `Rival.turn` ends the run with an error if one is missing; no figure of it is looked at.
    printed = measured("sends", "arrivals")
    assert "Durable sends" in printed
    assert "messages/s at random times" in printed
