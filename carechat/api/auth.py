"""Signing in and out for API clients, which hold their token themselves."""

from fastapi import APIRouter, Request, Response

from carechat.api import caller, schemas
from carechat.api.caller import AnyBackend, Caller
from carechat.services import accounts

router = APIRouter(prefix="/auth", tags=["accounts"])


@router.post("/login")
async def login(
    request: Request, backend: AnyBackend, credentials: schemas.Credentials
) -> schemas.Token:
    """Sign in with e-mail address and password."""
    network = caller.network(request)
    signed_in = await accounts.sign_in(backend, credentials.email, credentials.password, network)
    return schemas.Token.of(signed_in)


@router.post("/logout", status_code=204)
async def logout(request: Request, response: Response, ctx: Caller) -> None:
    """End the session of the token."""
    await accounts.sign_out(ctx)
    caller.clear_cookie(request, response)


@router.get("/me")
async def me(ctx: Caller) -> schemas.User:
    """Return whom the token stands for."""
    return schemas.User.of(ctx.user)


@router.post("/password", status_code=204)
async def password(request: Request, ctx: Caller, change: schemas.PasswordChange) -> None:
    """Change the own password; all other sessions end."""
    network = caller.network(request)
    await accounts.change_password(ctx, change.current, change.new, network)
