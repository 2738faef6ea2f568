"""Access: loads what somebody asks for and judges, in the same call, whether it is theirs."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from carechat.domain import errors
from carechat.domain.conversations import Conversation
from carechat.domain.users import Role
from carechat.services.context import Context

NO_SUCH_CONVERSATION = "There is no such conversation of yours."
NO_SUCH_PARTNER = "There is nobody with that address whom you can write to."
NOT_WRITABLE = "You can read this conversation, but nobody can write in it any more."


@dataclass(frozen=True, slots=True)
class Address:
    """Which conversation a caller means: by its id or the partner's address, one of the two."""

    conversation_id: str | None = None
    partner_email: str | None = None


async def addressed(ctx: Context, address: Address) -> Conversation:
    """Return the conversation at that address; raises `NotFoundError` if it is not the caller's."""
    found = ctx.store.conversations
    return await _addressed(ctx, address, found.find, found.between)


async def known(ctx: Context, address: Address) -> Conversation:
    """As `addressed`, at once if it was asked for before.

    How far its members have got may be more by now; who may write is up to date within a second.
    """
    found = ctx.store.conversations
    return await _addressed(ctx, address, found.known, found.known_between)


async def conversation(ctx: Context, conversation_id: str) -> Conversation:
    """Return the conversation; raises `NotFoundError` unless the caller is a member of it."""
    return await addressed(ctx, Address(conversation_id=conversation_id))


async def returned_to(ctx: Context, address: Address) -> Conversation:
    """As `addressed`, for devices that come back: many at once cost little more than one."""
    found = ctx.store.conversations
    return await _addressed(ctx, address, found.find_together, found.between)


def to_write(found: Conversation) -> Conversation:
    """Return the conversation; raises `ForbiddenError` if its members may only read it now."""
    if not found.writable:
        raise errors.ForbiddenError(NOT_WRITABLE)
    return found


async def _addressed(
    ctx: Context,
    address: Address,
    by_id: Callable[[str], Awaitable[Conversation | None]],
    between: Callable[[str, str], Awaitable[Conversation | None]],
) -> Conversation:
    if (address.conversation_id is None) == (address.partner_email is None):
        raise errors.InvalidError("Name a conversation_id or a receiver_email, one of the two.")
    if address.conversation_id is not None:
        found = await by_id(address.conversation_id)
        if found is None or ctx.user.email not in found.emails:
            raise errors.NotFoundError(NO_SUCH_CONVERSATION)
        return found
    partner_email = (address.partner_email or "").strip().lower()
    found = await between(ctx.user.email, partner_email)
    if found is None:
        raise errors.NotFoundError(NO_SUCH_PARTNER)
    return found


def as_role(ctx: Context, role: Role) -> None:
    """Raise `ForbiddenError` unless the caller has that role."""
    if ctx.user.role is not role:
        raise errors.ForbiddenError(f"Only a {role.value} can do this.")
