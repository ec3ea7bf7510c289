"""What the peers need installed: a venv of their own, and BullMQ; all below `.bench/peers`."""

import hashlib
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from tests.peers.peer import Runtime
from tests.peers.process import NODE_HOME, VENV

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
NODE_PACKAGES = ("bullmq@6.7.0", "ioredis@5.8.2")
INSTALL_WITHIN_S = 900
REASON_CHARACTERS = 300


def install(runtime: Runtime) -> str | None:
    """Install what a runtime needs, once; returns why that failed, or None."""
    try:
        match runtime:
            case Runtime.OURS:
                pass
            case Runtime.PEERS:
                _install_python()
            case Runtime.NODE:
                _install_node()
    except subprocess.CalledProcessError as error:
        return str(error.stderr or error).strip()[-REASON_CHARACTERS:]
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)[:REASON_CHARACTERS]
    return None


def _install_python() -> None:
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    stamp = VENV / ".ready"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print("setting up the peers' venv (once, about a minute)", file=sys.stderr)
    venv.create(VENV, clear=True, with_pip=True)
    pip = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    _run([*pip, "--disable-pip-version-check", "-r", str(REQUIREMENTS)])
    stamp.write_text(wanted)


def _install_node() -> None:
    wanted = " ".join(NODE_PACKAGES)
    stamp = NODE_HOME / ".ready"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    if shutil.which("npm") is None:
        raise OSError("no node: install Node.js 20 or newer")
    print("installing BullMQ", file=sys.stderr)
    NODE_HOME.mkdir(parents=True, exist_ok=True)
    options = ["--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"]
    _run(["npm", "install", "--prefix", str(NODE_HOME), *options, *NODE_PACKAGES])
    stamp.write_text(wanted)


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=INSTALL_WITHIN_S)
