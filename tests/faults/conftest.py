"""The product runs in processes of its own here, as its users have it."""

import pytest


@pytest.fixture(autouse=True)
def _nothing_blocks() -> None:
    """Leave out what the other tests are watched for: nothing is served in this process."""
