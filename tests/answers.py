"""What tests of the API ask and how they look at a refusal."""

import json
from typing import Any

import httpx


def code(answer: httpx.Response) -> tuple[int, str]:
    """Return the status and the code of a refusal, which has to look like one."""
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    problem = answer.json()
    assert problem.keys() == {"status", "title", "detail", "code", "request_id"}
    assert problem["request_id"] == answer.headers.get("x-request-id", "")
    assert problem["status"] == answer.status_code
    return answer.status_code, problem["code"]


async def post(
    client: httpx.AsyncClient, path: str, body: object, headers: dict[str, str] | None = None
) -> httpx.Response:
    """Return the answer to a body, in which half a surrogate pair may be spelled as JSON can."""
    sent: dict[str, Any] = {"Content-Type": "application/json", **(headers or {})}
    return await client.post(path, content=json.dumps(body), headers=sent)
