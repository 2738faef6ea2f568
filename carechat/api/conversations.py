"""The caller's conversations, the latest message first."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Response

from carechat.api import schemas
from carechat.api.caller import Caller
from carechat.services import conversations

router = APIRouter(prefix="/conversations", tags=["conversations"])


@router.get("")
async def page(
    response: Response,
    ctx: Caller,
    limit: Annotated[int, Query(ge=1, le=conversations.MAX_PAGE)] = 50,
    cursor: str | None = None,
) -> list[schemas.Conversation]:
    """List them; the `Link` header leads on while there are more."""
    found = await conversations.page(ctx, limit, cursor)
    if found.next:
        query = urlencode({"limit": limit, "cursor": found.next})
        response.headers["Link"] = f'</conversations?{query}>; rel="next"'
    return [schemas.Conversation.of(one, ctx.user.email) for one in found.summaries]
