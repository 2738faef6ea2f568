"""What the operator's page tells people to type does what it says."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from carechat.services import messages
from carechat.services.context import Backend, Context
from tests.conftest import Records
from tests.factories import a_doctor, a_patient, days_of_talk, to

PAGE = Path(__file__).parent.parent / "docs" / "operations.md"
QUERY = re.compile(r"^db\.(\w+)\.aggregate\((\[.*?^\])", re.DOTALL | re.MULTILINE)
KEY = re.compile(r"([{,]\s*)([$\w]+):")

Document = dict[str, Any]


def section(name: str) -> str:
    """Return what stands below that heading."""
    return PAGE.read_text().partition(f"\n### {name}\n")[2].partition("\n## ")[0]


def asked(records: Records) -> list[Document]:
    """Return what the queries of that section print."""
    queries = QUERY.findall(section("Was a message lost?"))
    assert len(queries) == 2
    return [
        found
        for collection, query in queries
        for found in records[collection].aggregate(json.loads(KEY.sub(r'\1"\2":', query)))
    ]


@pytest.fixture
async def talk(backend: Backend, doctor: Context) -> Context:
    """Return a patient of that doctor who has had the six messages between them."""
    patient = await a_patient(backend, doctor)
    await days_of_talk(doctor, patient, 6)
    for one, other in ((doctor, patient), (patient, doctor)):
        await messages.history(one, to(other))
    return patient


@pytest.fixture
async def doctor(backend: Backend) -> Context:
    """Return a doctor who also has a patient to whom nobody has written."""
    doctor = await a_doctor(backend)
    await a_patient(backend, doctor)
    return doctor


async def test_where_all_is_well_nothing_is_printed(talk: Context, records: Records) -> None:
    assert records["messages"].count_documents({}) == 6
    assert asked(records) == []


@pytest.mark.parametrize(
    "lost", [{"seq": 3}, {"seq": 1}, {"seq": {"$gt": 4}}, {}], ids=["gap", "first", "tail", "all"]
)
async def test_a_conversation_that_lost_something_is_printed(
    talk: Context, records: Records, lost: Document
) -> None:
    gone = records["messages"].delete_many(lost).deleted_count
    found = asked(records)
    assert [(one["had"], one["messages"]) for one in found] == [(6, 6 - gone)]


async def test_a_number_that_came_twice_is_printed(
    talk: Context, backend: Backend, records: Records
) -> None:
    records["messages"].drop_indexes()
    twice = records["messages"].find_one({"seq": 2}, {"_id": False})
    assert twice
    records["messages"].insert_one(twice)
    assert [(one["messages"], one["different"]) for one in asked(records)] == [(7, 6)]
    records["messages"].delete_many({})
    await backend.store.open()


async def test_messages_whose_conversation_is_gone_are_printed(
    talk: Context, records: Records
) -> None:
    records["conversations"].delete_many({})
    assert len(asked(records)) == 1
