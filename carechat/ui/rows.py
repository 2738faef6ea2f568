"""What the pages show, as plain fields: copies of domain objects that are fit for the browser."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from carechat.domain import conversations, messages, users
from carechat.services import invitations, proof
from carechat.ui import routes

_PREVIEW_LENGTH = 140
_TITLES = {"dr", "dr.", "prof", "prof.", "mr", "mr.", "mrs", "mrs.", "ms", "ms."}


@dataclass(frozen=True)
class MessageRow:
    """A message of the thread. `at` is in ms since the epoch, the partner's have no `client_id`."""

    seq: int
    id: str
    client_id: str
    mine: bool
    text: str
    at: int


@dataclass(frozen=True)
class ConversationRow:
    """A conversation in a list: a patient's card, a doctor's banner, a line beside the thread.

    `at` is in ms since the epoch, 0 while there is no message, as is `since`, when the first of the
    unread ones came; `state` is how far the last message has got if it is the reader's own (`sent`,
    `delivered`, `read`), else empty.
    """

    id: str
    email: str
    name: str
    initials: str
    link: str
    preview: str = ""
    at: int = 0
    state: str = ""
    unread: int = 0
    since: int = 0
    writable: bool = True
    present: bool = False


@dataclass(frozen=True)
class ViewerRow:
    """The person who is signed in, as the menu shows them."""

    email: str = ""
    name: str = ""
    short_name: str = ""
    initials: str = ""
    role: str = ""


@dataclass(frozen=True)
class PartnerRow:
    """The person at the other end of the thread."""

    email: str = ""
    name: str = ""
    initials: str = ""


@dataclass(frozen=True)
class ProofRow:
    """What is stored of a conversation's numbers `first` to `last`, and what became of it.

    `own_…` are the reader's messages that the partner has not got or read, `unread` the partner's.
    """

    conversation: str = ""
    first: int = 1
    last: int = 0
    stored: int = 0
    delivered: int = 0
    read: int = 0
    own_undelivered: int = 0
    own_unread: int = 0
    unread: int = 0


@dataclass(frozen=True)
class TimesRow:
    """When the own message `seq` was delivered and read, in ms since the epoch, 0 if not known."""

    seq: int = 0
    delivered_at: int = 0
    read_at: int = 0


@dataclass(frozen=True)
class InvitedRow:
    """What came of an invitation: a link and its end (ms since the epoch), or no link is needed."""

    name: str = ""
    url: str = ""
    expires_at: int = 0


def conversation(
    summary: conversations.Summary, viewer_email: str, present: bool = False
) -> ConversationRow:
    """Return the row of a conversation as that member sees it; `present` tells of the partner."""
    partner = summary.conversation.partner(viewer_email)
    last = summary.last_message
    return ConversationRow(
        id=summary.conversation.id,
        email=partner.email,
        name=partner.name,
        initials=initials(partner.name),
        link=routes.chat(partner.email),
        preview=_preview(last.message) if last else "",
        at=milliseconds(last.timestamp) if last else 0,
        state=_state(last, viewer_email) if last else "",
        unread=summary.unread.count if summary.unread else 0,
        since=milliseconds(summary.unread.since) if summary.unread else 0,
        writable=summary.conversation.writable,
        present=present,
    )


def difference(loaded: ConversationRow | None, current: ConversationRow) -> dict[str, Any]:
    """Return the id and the fields that are not as they were loaded; all if the row was not."""
    if loaded is None:
        return asdict(current)
    was = asdict(loaded)
    return {
        name: value for name, value in asdict(current).items() if name == "id" or value != was[name]
    }


def message(stored: messages.Message, viewer_email: str) -> MessageRow:
    """Return the row of a message as that member sees it."""
    mine = stored.sender_email == viewer_email
    return MessageRow(
        seq=stored.seq,
        id=stored.id,
        client_id=stored.client_id if mine else "",
        mine=mine,
        text=stored.message,
        at=milliseconds(stored.timestamp),
    )


def viewer(user: users.User) -> ViewerRow:
    """Return the row of the person who is signed in."""
    words = _without_titles(user.name)
    return ViewerRow(user.email, user.name, words[0], initials(user.name), user.role.value)


def partner(member: conversations.Member) -> PartnerRow:
    """Return the row of the person at the other end."""
    return PartnerRow(member.email, member.name, initials(member.name))


def proved(found: proof.Proof) -> ProofRow:
    """Return what the panel in the chat's header shows."""
    return ProofRow(
        conversation=found.conversation.id,
        first=found.first,
        last=found.last,
        stored=found.stored,
        delivered=found.delivered,
        read=found.read,
        own_undelivered=found.own.undelivered,
        own_unread=found.own.unread,
        unread=found.others.unread,
    )


def times(seq: int, found: proof.Times) -> TimesRow:
    """Return what the opened line of an own message shows."""
    moments = (found.delivered_at, found.read_at)
    return TimesRow(seq, *(milliseconds(one) if one else 0 for one in moments))


def invited(name: str, outcome: invitations.Link | users.User) -> InvitedRow:
    """Return what came of inviting somebody as `name`; who has an account keeps its name."""
    if isinstance(outcome, users.User):
        return InvitedRow(outcome.name)
    return InvitedRow(name, outcome.url, milliseconds(outcome.expires_at))


def initials(name: str) -> str:
    """Return one or two capitals for the name, without titles: `Dr. Sarah Chen` gives `SC`."""
    words = _without_titles(name)
    ends = words[:1] + words[1:][-1:]
    return "".join(_first_letter(word) for word in ends).upper()


def milliseconds(moment: datetime) -> int:
    """Return the time as JavaScript counts it."""
    return int(moment.timestamp() * 1000)


def _first_letter(word: str) -> str:
    return next((character for character in word if character.isalnum()), "")


def _without_titles(name: str) -> list[str]:
    words = name.split()
    return [word for word in words if word.lower() not in _TITLES] or words


def _preview(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _PREVIEW_LENGTH else flat[:_PREVIEW_LENGTH].rstrip() + "…"


def _state(message: messages.Message, viewer_email: str) -> str:
    if message.sender_email != viewer_email:
        return ""
    return "read" if message.read else "delivered" if message.delivered else "sent"
