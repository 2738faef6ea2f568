"""The tests of the architecture and of the style can fail: each rule finds what breaks it."""

from pathlib import Path

import pytest

from tests import test_architecture, test_style


@pytest.mark.parametrize(
    ("room", "code", "fault"),
    [
        ("domain", "import pydantic", "imports pydantic"),
        ("storage", "import carechat.services.a", "imports carechat.services.a"),
        ("services", "from carechat import settings", "imports carechat.settings"),
        ("ui", "import carechat.api.a", "imports carechat.api.a"),
        ("api", "import carechat.realtime.hub", "imports carechat.realtime.hub"),
        ("ui", "import fastapi", "imports fastapi"),
        ("api", "import reflex_base", "imports reflex_base"),
        ("services", "import bson", "imports bson"),
        ("services", "import redis", "imports redis"),
        ("services", "def f():\n    import os", "f imports"),
        ("api", "async def f():\n    hub.publish(1)", "publishes an event"),
        ("api", "ctx.store.messages.history('a')", "goes round the services"),
        ("ui", "backend.hub", "goes round the services"),
        ("ui", "async def f(): backend.progress.sent(message)", "goes round the services"),
        ("services", "store._database['users']", "names a collection"),
        ("services", "from carechat.services import b", "is in a cycle"),
        ("helpers", "", "is in no table"),
    ],
)
def test_each_rule_bites(tmp_path: Path, room: str, code: str, fault: str) -> None:
    folder = tmp_path / "carechat" / room
    folder.mkdir(parents=True)
    (folder / "a.py").write_text(code)
    (folder / "b.py").write_text("import carechat.services.a" if "cycle" in fault else "")
    assert f"carechat.{room}.a: {fault}" in test_architecture.faults(tmp_path)


@pytest.mark.parametrize(
    ("source", "lacking"),
    [
        ("x = 1", ["m"]),
        ('"""no sentence"""', ["m"]),
        ('"""One."""\ndef f(): ...\ndef _g(): ...', ["m.f"]),
        ('"""One."""\nclass A:\n    """Two."""\n    async def f(self): ...', ["m.A.f"]),
        ('"""One."""\nclass A:\n    """Two."""\n    @override\n    def f(self): ...', []),
    ],
)
def test_the_docstring_rule_bites(source: str, lacking: list[str]) -> None:
    assert test_style.undocumented(source, "m") == lacking
