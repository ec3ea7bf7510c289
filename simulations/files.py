"""What simulations leave on disk."""

import os
from pathlib import Path

import pandas as pd

from simulations.run import Run
from simulations.typed import Format


def write_frames(run: Run, folder: Path, written_as: Format, prefix: str = "") -> list[Path]:
    """Write a run's messages, attempts and lane events; instants are epoch microseconds."""
    folder.mkdir(parents=True, exist_ok=True)
    frames = {
        "messages": run.messages(),
        "attempts": run.attempt_rows(),
        "lanes": run.lane_rows(),
    }
    paths = [folder / f"{prefix}{name}.{written_as}" for name in frames]
    for path, frame in zip(paths, frames.values(), strict=True):
        write_whole(path, _content(frame, written_as))
    return paths


def _content(frame: pd.DataFrame, written_as: Format) -> bytes:
    match written_as:
        case Format.CSV:
            return frame.to_csv(index=False).encode()
        case Format.PARQUET:
            return frame.to_parquet(index=False)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that is there whole or not at all, whenever the process or the power ends."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
