"""Conversations as they were read last, for as long as every change to them is heard of."""

from collections import OrderedDict

from carechat.domain.conversations import Conversation, Kind
from carechat.storage.heard import Heard

MAX_KEPT = 10_000
"""Conversations that are kept; the one that was not asked for longest gives way."""


class Recent:
    """Conversations by their id and by their pair: who is in them, and who may write.

    How far their members have got may be more by now: nobody tells of that here. None is known
    while changes are not heard of, nor is kept what was read while one was told.
    """

    def __init__(self, heard: Heard) -> None:
        self._heard = heard
        self._kept: OrderedDict[str, Conversation] = OrderedDict()
        self._changes = 0

    @property
    def changes(self) -> int:
        """How many changes were told: to be noted before a conversation is read."""
        return self._changes

    def find(self, key: str) -> Conversation | None:
        """Return the conversation with that id or pair, if it is known."""
        found = self._kept.get(key)
        if found is None or not self._heard.is_current:
            return None
        self._kept.move_to_end(key)
        return found

    def keep(self, conversation: Conversation, changes: int) -> None:
        """Keep what was read after that many changes."""
        if changes != self._changes or not self._heard.is_current:
            return
        for key in _keys(conversation):
            self._kept[key] = conversation
            self._kept.move_to_end(key)
        while len(self._kept) > 2 * MAX_KEPT:
            self._kept.popitem(last=False)

    def forget(self, conversation: Conversation) -> None:
        """It has changed."""
        self._changes += 1
        for key in _keys(conversation):
            self._kept.pop(key, None)

    def forget_all(self) -> None:
        """Some have changed, or may have."""
        self._changes += 1
        self._kept.clear()


def pair(email: str, other_email: str) -> str:
    """Return what two people have in common who can have one direct conversation."""
    return " ".join(sorted((email, other_email)))


def _keys(conversation: Conversation) -> list[str]:
    if conversation.kind is not Kind.DIRECT:
        return [conversation.id]
    one, other = conversation.emails
    return [conversation.id, pair(one, other)]
