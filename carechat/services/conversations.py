"""Conversations: the lists in which people find each other, and one conversation by itself."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime

from carechat.domain import errors
from carechat.domain.conversations import Conversation, Member, Summary, Unread
from carechat.domain.messages import Message
from carechat.domain.users import MAX_NAME_LENGTH
from carechat.services import access
from carechat.services.access import Address
from carechat.services.context import Context
from carechat.storage.conversations import Place

MAX_PAGE = 200
"""Conversations that are listed at once."""

_CURSOR = re.compile(r"([0-9]{1,14})-([0-9a-f]{24})")


@dataclass(frozen=True, slots=True)
class Page:
    """Some conversations, the latest message first; `next` is where further ones begin, if any."""

    summaries: list[Summary]
    next: str | None


@dataclass(frozen=True, slots=True)
class Dashboard:
    """What somebody has to look at.

    `total` counts the conversations that were found, of which `summaries` are the first; `unread`
    has every conversation with something unread, found or not, by its id, and `partners` who is at
    the other end of each.
    """

    summaries: list[Summary]
    total: int
    unread: dict[str, Unread]
    partners: dict[str, Member]


async def page(ctx: Context, limit: int = 50, cursor: str | None = None) -> Page:
    """Return the caller's next conversations, the latest message first.

    `limit` is cut to 1 … 200; `cursor` is the `next` of the page before, `InvalidError` if it is
    not.
    """
    limit = max(1, min(limit, MAX_PAGE))
    after = _parse_cursor(cursor) if cursor else None
    await ctx.backend.progress.settle()
    found = await ctx.store.conversations.page(ctx.user.email, limit + 1, after)
    summaries = await _summaries(ctx, [conversation for _, conversation in found[:limit]])
    return Page(summaries, _cursor(found[limit - 1][0]) if len(found) > limit else None)


async def dashboard(ctx: Context, limit: int, name: str = "") -> Dashboard:
    """Return who waits, and the first `limit` conversations with somebody of that name.

    Unread conversations come first, then the latest message; the partner's name has every word of
    `name`.
    """
    unread = await ctx.store.messages.unread(ctx.user.email)
    known = await _of(ctx)
    words = _plain(name[:MAX_NAME_LENGTH]).split()
    found = [one for one in known if _has(words, _partner(ctx, one).name)]
    found.sort(key=lambda one: one.id not in unread)
    return await _board(ctx, known, unread, found[:limit], len(found))


async def beside(ctx: Context, limit: int, partner_email: str) -> Dashboard:
    """Return who waits, and the `limit` conversations with the latest messages.

    The one with that partner, which is open beside them, is there even if it comes after those.
    """
    unread = await ctx.store.messages.unread(ctx.user.email)
    known = await _of(ctx)
    is_open = [one for one in known[limit:] if _partner(ctx, one).email == partner_email]
    return await _board(ctx, known, unread, known[:limit] + is_open, len(known))


async def find(ctx: Context, address: Address) -> Summary:
    """Return one conversation; raises `NotFoundError` if it is not the caller's."""
    conversation = await access.addressed(ctx, address)
    return (await _summaries(ctx, [conversation]))[0]


def is_present(ctx: Context, conversation: Conversation) -> bool:
    """Whether the caller's partner has a page or a socket open, or had until a moment ago."""
    return ctx.backend.presence.is_present(_partner(ctx, conversation).email)


async def _of(ctx: Context) -> list[Conversation]:
    """Every conversation of the caller, the latest first, as this process knows by now."""
    await ctx.backend.progress.settle()
    return [one for _, one in await ctx.store.conversations.of(ctx.user.email)]


async def _board(
    ctx: Context,
    known: list[Conversation],
    unread: dict[str, Unread],
    shown: list[Conversation],
    total: int,
) -> Dashboard:
    summaries = await _summaries(ctx, shown)
    current = {one.conversation.id: one.unread for one in summaries}
    waiting = {id_: one for id_, one in (unread | current).items() if one}
    return Dashboard(summaries, total, waiting, {one.id: _partner(ctx, one) for one in known})


async def _summaries(ctx: Context, found: list[Conversation]) -> list[Summary]:
    """What waits is counted up to the newest message: the event of a later one will count it."""
    newest = await ctx.store.messages.newest(one.id for one in found)
    last_seqs = {id_: message.seq for id_, message in newest.items()}
    unread = await ctx.store.messages.unread(ctx.user.email, last_seqs)
    return [_summary(one, newest.get(one.id), unread.get(one.id)) for one in found]


def _summary(conversation: Conversation, last: Message | None, unread: Unread | None) -> Summary:
    return Summary(
        conversation=conversation,
        last_message=conversation.with_delivery(last) if last else None,
        unread=unread,
    )


def _has(words: list[str], name: str) -> bool:
    plain = _plain(name)
    return all(word in plain for word in words)


def _partner(ctx: Context, conversation: Conversation) -> Member:
    return conversation.partner(ctx.user.email)


def _plain(name: str) -> str:
    """Without case and accents, so that "jose" finds José."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def _cursor(place: Place) -> str:
    return f"{place.last_at.timestamp() * 1_000:.0f}-{place.id}"


def _parse_cursor(cursor: str) -> Place:
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        raise errors.InvalidError("That cursor is not one of ours.")
    return Place(datetime.fromtimestamp(int(match[1]) / 1_000, UTC), match[2])
