"""Smoke."""

import httpx

from carechat.services.context import Backend
from tests.factories import PASSWORD, a_conversation, a_pair


async def test_login_and_history(backend: Backend, client: httpx.AsyncClient) -> None:
    """Sign in, read."""
    doctor, patient = await a_pair(backend)
    await a_conversation(doctor, patient, ["a", "b", "c"])
    r = await client.post("/auth/login", json={"email": doctor.user.email, "password": PASSWORD})
    assert r.status_code == 200, r.text
    client.headers["Authorization"] = "Bearer " + r.json()["access_token"]
    r = await client.get(f"/messages/{doctor.user.email}/{patient.user.email}?limit=2")
    print(r.json(), r.headers)
    r = await client.get("/conversations")
    print(r.json())
    r = await client.patch(f"/messages/mark-read/{patient.user.email}")
    assert r.json() == {"updated": 3}
    r = await client.delete("/messages/a/b")
    assert r.status_code == 405, r.text
    r = await client.get("/messages/a")
    assert r.status_code == 404, r.text
    r = await client.get("/docs")
    assert r.status_code == 200
    r = await client.get("/openapi.json")
    assert r.status_code == 200
