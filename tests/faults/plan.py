"""How much is broken: enough for a table, or just enough to see that the breaking works."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """Numbers of kills, messages and so on for each scenario."""

    pairs: int
    kills: int
    whole_every: int
    """Every so many kills of the server are of all its processes, the others of its worker."""
    sends: int
    """During all kills of the server together; of MongoDB a quarter."""
    primaries: int
    """How often a primary is killed."""
    stop_seconds: float
    repeats: int
    crowd_messages: int
    crowd_sockets: int
    """Of each of two people."""
    deaf_messages: int
    crowd_people: int
    """Each of them with so many sockets comes back after a kill."""
    outages: int


FULL = Plan(
    pairs=20,
    kills=20,
    whole_every=4,
    sends=20_000,
    primaries=10,
    stop_seconds=15,
    repeats=10_000,
    crowd_messages=100_000,
    crowd_sockets=20,
    deaf_messages=5_000,
    crowd_people=100,
    outages=3,
)
SHORT = Plan(
    pairs=3,
    kills=2,
    whole_every=2,
    sends=600,
    primaries=1,
    stop_seconds=8,
    repeats=400,
    crowd_messages=1_000,
    crowd_sockets=4,
    deaf_messages=1_500,
    crowd_people=6,
    outages=1,
)
TINY = Plan(
    pairs=2,
    kills=2,
    whole_every=2,
    sends=200,
    primaries=1,
    stop_seconds=5,
    repeats=400,
    crowd_messages=600,
    crowd_sockets=4,
    deaf_messages=1_200,
    crowd_people=2,
    outages=1,
)
"""For `make test`."""
