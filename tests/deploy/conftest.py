"""The wheel, built once, and an environment that has nothing of ours but what is in it."""

import os
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Installed:
    """A fresh environment with the wheel in it."""

    python: Path
    folder: Path
    """An empty folder to work in, far from the sources."""

    @property
    def waq(self) -> str:
        """The program as pip made it."""
        return str(self.python.with_name("waq"))

    def run(self, *command: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run a command there, with nothing of the developer's environment."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environ(**environ),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def environ(self, **environ: str) -> dict[str, str]:
        """What a process there is given."""
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder), **environ}


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the sources as they are."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder],
        cwd=PROJECT,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("waqcore-*.whl")
    return built


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel, installed; what it needs is borrowed from the developer's environment."""
    folder = tmp_path_factory.mktemp("fresh")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "env"], check=True)
    python = folder / "env" / "bin" / "python"
    theirs = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    # A path here leads to packages alone: .pth files there, such as our sources', are not read.
    Path(theirs, "borrowed.pth").write_text(sysconfig.get_path("purelib"))
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install"]
    options = ["--quiet", "--no-deps", "--no-index", "--disable-pip-version-check"]
    subprocess.run([*pip, *options, "--force-reinstall", str(wheel)], check=True)
    work = folder / "work"
    work.mkdir()
    return Installed(python, work)
