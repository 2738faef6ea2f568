"""When the pages are built, with a stand-in for Reflex that counts how often it is asked."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from carechat import webbuild

REFLEX = """
import pathlib, sys
with open("asked", "a") as asked:
    asked.write("x")
pathlib.Path(".web/build").mkdir(parents=True, exist_ok=True)
print("compiling", *sys.argv[1:], flush=True)
"""


UNPACK = "import pathlib, sys; pathlib.Path('.web/node_modules/confbox').mkdir(parents=True)"

# Reflex reads the configuration before it does any of that in `reflex run`.
AS_REFLEX_RUN = """
from reflex.utils import js_runtimes, prerequisites, registry
from reflex_base import config, environment
config.get_config()
js_runtimes.install_bun()
print(js_runtimes.get_nodejs_compatible_package_managers()[0])
print(registry.get_npm_registry())
print(environment.environment.REFLEX_CHECK_LATEST_VERSION.get())
"""

# `reflex run` sets PORT for the pages' server; what reads the configuration later is a new worker.
AS_A_RELOAD = """
import os, runpy
from carechat import settings
for _ in range(2):
    config = runpy.run_path("rxconfig.py")["config"]
    print(config.api_url, config.backend_port, settings.load().port)
    os.environ["PORT"] = "3000"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Sources of pages, and a package `reflex` that `python -m` finds before the real one."""
    for name, text in {
        "carechat/ui/page.py": "page",
        "carechat/ui/feed.jsx": "feed",
        "assets/carechat.css": "style",
        "rxconfig.py": "config",
        "reflex.lock/package-lock.json": "{}",
        "reflex/__init__.py": "",
        "reflex/__main__.py": REFLEX,
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def _builds(project: Path, port: int = 8000) -> int:
    webbuild.build(project, {"port": port})
    return len((project / "asked").read_text())


def test_nothing_is_built_twice(project: Path) -> None:
    assert not webbuild.is_current(project, {"port": 8000})
    assert _builds(project) == 1
    assert webbuild.is_current(project, {"port": 8000})
    assert _builds(project) == 1


@pytest.mark.parametrize(
    "name",
    [
        "carechat/ui/page.py",
        "carechat/ui/feed.jsx",
        "carechat/new.py",
        "assets/carechat.css",
        "rxconfig.py",
        "requirements.lock",
        "reflex.lock/package-lock.json",
    ],
)
def test_a_changed_source_is_built(project: Path, name: str) -> None:
    assert _builds(project) == 1
    (project / name).write_text("changed")
    assert _builds(project) == 2


def test_a_removed_source_a_changed_setting_and_a_removed_build_are_built(project: Path) -> None:
    assert _builds(project) == 1
    (project / "carechat/ui/feed.jsx").unlink()
    assert _builds(project) == 2
    assert _builds(project, port=8001) == 3
    (project / ".web" / webbuild.STAMP).unlink()
    assert _builds(project, port=8001) == 4


def test_a_lock_that_the_build_itself_brings_up_to_date_is_no_reason_for_another(
    project: Path,
) -> None:
    lock = "pathlib.Path('reflex.lock/package-lock.json').write_text('newer')"
    (project / "reflex/__main__.py").write_text(REFLEX + lock)
    assert _builds(project) == 1
    assert _builds(project) == 1


def test_what_is_edited_during_a_build_is_built_the_next_time(project: Path) -> None:
    edit = "pathlib.Path('carechat/ui/page.py').write_text('edited')"
    (project / "reflex/__main__.py").write_text(REFLEX + edit)
    assert _builds(project) == 1
    assert _builds(project) == 2
    assert _builds(project) == 2


@pytest.mark.parametrize(
    "name",
    [
        "carechat/ui/__pycache__/page.pyc",
        "assets/external/feed.jsx",
        "reflex.lock/package.json",
        "README.md",
    ],
)
def test_what_the_pages_are_not_made_of_is_not_built(project: Path, name: str) -> None:
    assert _builds(project) == 1
    (project / name).parent.mkdir(exist_ok=True)
    (project / name).write_text("changed")
    assert _builds(project) == 1


def test_a_build_that_fails_shows_its_last_lines_and_is_tried_again(project: Path) -> None:
    main = project / "reflex/__main__.py"
    main.write_text("import sys\nfor n in range(99): print('line', n)\nsys.exit(3)")
    with pytest.raises(webbuild.BuildError, match="could not be built:\nline 69") as failure:
        webbuild.build(project, {})
    assert str(failure.value).endswith("line 98")
    main.write_text(REFLEX)
    assert _builds(project) == 1


def test_what_npm_was_interrupted_in_is_unpacked_anew(project: Path) -> None:
    modules, main = project / ".web/node_modules", project / "reflex/__main__.py"
    main.write_text(f"{UNPACK}\nimport time; time.sleep(600)")
    webbuild.build(project, {}, (modules / "confbox").exists)
    assert not modules.exists()
    main.write_text(f"{UNPACK}\nsys.exit(3)")
    with pytest.raises(webbuild.BuildError):
        webbuild.build(project, {})
    assert not modules.exists()
    # As after a power cut.
    (modules / "half").mkdir(parents=True)
    main.write_text(f"{UNPACK}\nopen('.web/node_modules/.package-lock.json', 'w')\n{REFLEX}")
    assert _builds(project) == 1
    assert not (modules / "half").exists()
    (project / "rxconfig.py").write_text("changed")
    main.write_text(REFLEX)
    assert _builds(project) == 2
    assert (modules / "confbox").exists()


def test_a_build_that_is_stopped_leaves_no_process_and_no_pages(project: Path) -> None:
    (project / "reflex/__main__.py").write_text(
        "import subprocess, pathlib\n"
        "child = subprocess.Popen(['sleep', '600'])\n"
        "pathlib.Path('unfinished').write_text(str(child.pid))\n"
        "pathlib.Path('unfinished').rename('child')\n"
        "child.wait()"
    )
    webbuild.build(project, {}, (project / "child").exists)
    assert not webbuild.is_current(project, {})
    child = int((project / "child").read_text())
    deadline = time.monotonic() + 10
    while _lives(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _lives(child)


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_reflex_is_given_the_npm_of_this_environment_and_one_registry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho https://npm.example.com/\n")
    npm.chmod(0o700)
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    monkeypatch.delenv("NPM_CONFIG_REGISTRY", raising=False)
    variables = webbuild.environment()
    assert variables["PATH"].startswith(f"{tmp_path}{os.pathsep}")
    assert variables["REFLEX_USE_NPM"] == "1"
    assert variables["NPM_CONFIG_REGISTRY"] == "https://npm.example.com/"
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", "https://named.example.com/")
    assert webbuild.environment()["NPM_CONFIG_REGISTRY"] == "https://named.example.com/"
    npm.unlink()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(webbuild.BuildError, match="No npm found"):
        webbuild.environment()


def test_reflex_run_takes_our_npm_too_and_downloads_nothing_to_build_with(tmp_path: Path) -> None:
    (tmp_path / "npmrc").write_text("registry=https://npm.example.com/")
    done = subprocess.run(
        [sys.executable, "-c", AS_REFLEX_RUN],
        cwd=Path(__file__).parent.parent,
        # No unzip, no bun and no npm are on this PATH: Reflex finds what it is given, or fails.
        env={
            **_bare(),
            "PATH": str(tmp_path),
            "REFLEX_DIR": str(tmp_path),
            "NPM_CONFIG_USERCONFIG": str(tmp_path / "npmrc"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines()[-3:] == [
        str(Path(sys.executable).parent / "npm"),
        "https://npm.example.com/",
        "False",
    ], done.stderr


def _bare() -> dict[str, str]:
    """The environment without what other tests, or whoever runs them, have put there for us."""
    ours = ("REFLEX_", "NPM_CONFIG_", "CARECHAT_")
    return {name: value for name, value in os.environ.items() if not name.upper().startswith(ours)}


def test_what_reflex_run_reloads_keeps_the_port_of_the_api() -> None:
    done = subprocess.run(
        [sys.executable, "-c", AS_A_RELOAD],
        cwd=Path(__file__).parent.parent,
        env={**_bare(), "PORT": "8123", "NPM_CONFIG_REGISTRY": "https://npm.example.com/"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "http://localhost:8123 8123 8123\n" * 2, done.stderr
