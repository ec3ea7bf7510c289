"""The files that operations need beside the program, shipped with it."""

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

_NOT_OURS = {"__init__.py", "__pycache__"}
_FOR_ALL = 0o644
"""Whatever the umask: systemd, Prometheus and Grafana read them as somebody else."""


class DiffersError(Exception):
    """A file is there already and holds something else."""

    def __init__(self, paths: list[Path]) -> None:
        names = ", ".join(str(path) for path in paths)
        super().__init__(
            f"there already, and different: {names}; nothing was written: move them away, "
            "or overwrite them with --force"
        )


def shipped() -> dict[str, bytes]:
    """The files, by their path under the folder they are written to."""
    return dict(_walk(files(__package__), ""))


def write_out(folder: Path, *, overwrite: bool) -> list[Path]:
    """Write the files into a folder; returns those that were not there as they are.

    Raises:
        DiffersError: one is there and differs, and may not be overwritten; nothing was written.
        OSError: the folder cannot be written to.
    """
    wanted = {folder / name: content for name, content in shipped().items()}
    there = {path for path in wanted if path.exists()}
    differing = [path for path in wanted if path in there and path.read_bytes() != wanted[path]]
    if differing and not overwrite:
        raise DiffersError(differing)
    written = [path for path in wanted if path not in there or path in differing]
    for path in written:
        _make(path.parent)
        path.write_bytes(wanted[path])
        path.chmod(_FOR_ALL)
    return written


def _make(folder: Path) -> None:
    if not folder.is_dir():
        _make(folder.parent)
        folder.mkdir()
        folder.chmod(_FOR_ALL | 0o111)


def _walk(folder: Traversable, under: str) -> Iterator[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda one: one.name):
        if entry.name in _NOT_OURS:
            continue
        if entry.is_dir():
            yield from _walk(entry, f"{under}{entry.name}/")
        else:
            yield f"{under}{entry.name}", entry.read_bytes()
