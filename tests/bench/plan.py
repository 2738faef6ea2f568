"""How much is measured: enough for a table, or just enough to see that the measuring works."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """Numbers of messages, pages and so on for each measurement."""

    messages: int
    """From one page to another, one pair of people alone."""
    pairs: int
    """Pairs with both pages open, of whom one after the other writes."""
    messages_of_pairs: int
    counted_messages: int
    """Those whose bytes and round trips are counted."""
    openings: int
    requests: int
    sizes: tuple[int, ...]
    """Conversations of so many messages are read."""
    pages: int
    """Pages of one person, for memory and processor time."""
    talkers: int
    """Pairs with both sockets open, on the product and on the reference."""
    rounds: int
    """In each of which both have their turn."""
    round_seconds: float
    rate: int
    """Messages a second where they are sent to a plan."""
    restarts: int
    """Rounds of what has to be started anew for each turn."""
    idle_sockets: tuple[int, int]
    """Few of them, and many."""


FULL = Plan(
    messages=300,
    pairs=20,
    messages_of_pairs=200,
    counted_messages=50,
    openings=10,
    requests=200,
    sizes=(1_000, 100_000, 1_000_000),
    pages=15,
    talkers=200,
    rounds=5,
    round_seconds=10,
    rate=400,
    restarts=3,
    idle_sockets=(1_000, 4_000),
)
SHORT = Plan(
    messages=20,
    pairs=2,
    messages_of_pairs=10,
    counted_messages=5,
    openings=2,
    requests=20,
    sizes=(1_000, 10_000),
    pages=3,
    talkers=20,
    rounds=2,
    round_seconds=2,
    rate=100,
    restarts=1,
    idle_sockets=(100, 400),
)
