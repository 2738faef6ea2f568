"""Inviting patients, and joining with an invitation."""

from fastapi import APIRouter, Request

from carechat.api import caller, schemas
from carechat.api.caller import AnyBackend, Caller
from carechat.domain.users import User
from carechat.services import invitations

router = APIRouter(prefix="/invitations", tags=["accounts"])


@router.post("", status_code=201)
async def invite(ctx: Caller, new: schemas.NewInvitation) -> schemas.Invited | schemas.Assigned:
    """Make a one-time link for a patient; one who has an account already is assigned at once."""
    invited = await invitations.invite(ctx, new.email, new.name)
    if isinstance(invited, User):
        return schemas.Assigned()
    return schemas.Invited(url=invited.url, expires_at=invited.expires_at)


@router.post("/accept", status_code=201)
async def accept(
    request: Request, backend: AnyBackend, acceptance: schemas.Acceptance
) -> schemas.Token:
    """Choose a password with the token of an invitation, and be signed in."""
    network = caller.network(request)
    signed_in = await invitations.accept(backend, acceptance.token, acceptance.password, network)
    return schemas.Token.of(signed_in)
