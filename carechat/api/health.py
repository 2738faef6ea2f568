"""Whether this process is alive, and whether it can serve."""

from fastapi import APIRouter

from carechat.api.caller import AnyBackend
from carechat.domain import errors
from carechat.services import watch

router = APIRouter(tags=["operation"])


# Those that watch from outside may ask with HEAD.
@router.head("/healthz", include_in_schema=False)
@router.get("/healthz")
async def alive() -> dict[str, str]:
    """Answer while the process lives."""
    return {"status": "alive"}


@router.head("/readyz", include_in_schema=False)
@router.get("/readyz")
async def ready(backend: AnyBackend) -> dict[str, str]:
    """Answer 200 while messages can be stored and told, else 503 and what is missing."""
    if lacking := await watch.obstacle(backend):
        raise errors.UnavailableError(lacking)
    return {"database": "reachable"} | ({"redis": "reachable"} if backend.relay else {})
