"""`.ci/prepare` mends an environment that cannot be used, and names all that is missing at once."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

PREPARE = Path(__file__).parents[3] / ".ci" / "prepare"
TOOLS = ("sh", "dirname", "grep", "rm", "find", "head", "ls", "touch", "sed", "cp", "mkdir", "cat")

PYTHON = """#!/bin/sh
# A Python as far as the script looks at one.
case "$1 $2" in
"-c import sys; print(sys.executable)") echo "$0" ;;
"-c import os, sys; print(os.path.realpath(sys._base_executable))") cat "$0.base" ;;
"-c import venv, ensurepip" | "-c import os, sys, sysconfig"*) [ ! -e "$0.bare" ] ;;
"-m venv")
    mkdir -p .venv/bin && cp "$0" .venv/bin/python && cp "$0.base" .venv/bin/python.base
    echo "#!$(pwd -P)/.venv/bin/python" >.venv/bin/pip
    ;;
esac
"""


@dataclass(frozen=True, slots=True)
class Checkout:
    """A checkout on a machine where nothing may be installed."""

    folder: Path
    bin: Path

    def program(self, name: str, text: str) -> Path:
        path = self.bin / name
        path.write_text(text)
        path.chmod(0o755)
        return path

    def python(self, name: str) -> Path:
        path = self.program(name, PYTHON)
        path.with_name(f"{name}.base").write_text(f"{path}\n")
        return path

    def prepare(self, python: str | Path) -> tuple[int, str]:
        done = subprocess.run(
            [self.folder / ".ci" / "prepare", "run"],
            env={"PATH": str(self.bin), "PYTHON": str(python)}, capture_output=True, text=True, timeout=20,
        )  # fmt: skip
        return done.returncode, done.stderr


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    made = Checkout(tmp_path / "checkout", tmp_path / "bin")
    (made.folder / ".ci").mkdir(parents=True)
    (made.folder / "engine" / "media" / "native").mkdir(parents=True)
    (made.folder / "engine" / "media" / "_native.abi3.so").touch()
    for name in ("pyproject.toml", "setup.py"):
        (made.folder / name).touch()
    shutil.copy(PREPARE, made.folder / ".ci")
    made.bin.mkdir()
    for tool in TOOLS:
        (made.bin / tool).symlink_to(shutil.which(tool) or tool)
    made.program("id", "#!/bin/sh\necho 1000\n")
    made.program("gcc", "#!/bin/sh\n")
    return made


def test_environment_is_made_once(checkout: Checkout) -> None:
    python = checkout.python("python3")
    status, said = checkout.prepare(python)
    assert status == 0, said
    assert f"making .venv with {python} (there is none yet)" in said
    assert checkout.prepare(python) == (0, "")


def test_unfinished_environment_is_made_again(checkout: Checkout) -> None:
    python = checkout.python("python3")
    checkout.prepare(python)
    (checkout.folder / ".venv" / "bin" / "pip").unlink()
    assert "(it was never finished)" in checkout.prepare(python)[1]
    assert checkout.prepare(python) == (0, "")


def test_environment_of_a_moved_checkout_is_made_again(checkout: Checkout) -> None:
    python = checkout.python("python3")
    checkout.prepare(python)
    moved = Checkout(checkout.folder.rename(checkout.folder.with_name("moved")), checkout.bin)
    assert "(it was made for another folder)" in moved.prepare(python)[1]
    assert moved.prepare(python) == (0, "")


def test_another_python_makes_another_environment(checkout: Checkout) -> None:
    checkout.prepare(checkout.python("python3"))
    other = checkout.python("python3.12")
    assert f"(it was made by another Python than {other})" in checkout.prepare(other)[1]
    assert checkout.prepare(other) == (0, "")


def test_python_that_does_not_exist_is_an_error_and_harms_nothing(checkout: Checkout) -> None:
    checkout.prepare(checkout.python("python3"))
    status, said = checkout.prepare("/nonexistent/python3.12")
    assert status == 1
    assert "/nonexistent/python3.12 is missing" in said
    assert (checkout.folder / ".venv" / "bin" / "pip").exists()


def test_all_that_is_missing_is_named_in_one_line(checkout: Checkout) -> None:
    python = checkout.python("python3")
    python.with_name("python3.bare").touch()
    (checkout.bin / "gcc").unlink()
    status, said = checkout.prepare(python)
    assert status == 1
    (line,) = said.splitlines()
    assert line.endswith("sudo apt-get install -y --no-install-recommends gcc libc6-dev python3-venv python3-dev")
