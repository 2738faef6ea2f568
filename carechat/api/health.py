"""Whether this process is alive, and whether it can serve."""

from fastapi import APIRouter, Response

from carechat.api.caller import AnyBackend
from carechat.services import watch

router = APIRouter(tags=["operation"])


@router.get("/healthz")
async def alive() -> dict[str, str]:
    """Answer while the process lives."""
    return {"status": "alive"}


@router.get("/readyz")
async def ready(backend: AnyBackend, response: Response) -> dict[str, str]:
    """Answer 200 while messages can be stored, else 503 and what is missing."""
    reachable = await watch.is_ready(backend)
    response.status_code = 200 if reachable else 503
    return {"database": "reachable" if reachable else "unreachable"}
