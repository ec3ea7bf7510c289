"""A disk without room, under the service's database."""

import errno
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadtests.run.disk import Disk, DiskError, small_disk


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    try:
        with small_disk(tmp_path) as found:
            yield found
    except DiskError as error:
        pytest.skip(str(error))


def test_on_a_full_disk_nothing_can_be_written_until_it_is_cleared(disk: Disk) -> None:
    log = disk.place / "log"
    log.write_bytes(b"before")

    disk.fill()
    with pytest.raises(OSError, match="No space left") as refused, log.open("ab") as more:
        more.write(bytes(8_192))
    disk.clear()
    log.write_bytes(b"after")

    assert refused.value.errno == errno.ENOSPC
    assert log.read_bytes() == b"after"


def test_what_is_freed_on_a_full_disk_is_taken_by_the_next_filling(disk: Disk) -> None:
    freed = disk.place / "freed"
    freed.write_bytes(bytes(1_000_000))
    disk.fill()
    freed.unlink()

    disk.fill()

    with pytest.raises(OSError, match="No space left"):
        freed.write_bytes(bytes(8_192))


def test_what_was_on_it_is_in_the_folder_when_it_is_gone(tmp_path: Path) -> None:
    try:
        with small_disk(tmp_path) as disk:
            (disk.place / "queue.db").write_bytes(b"rows")
            disk.fill()
    except DiskError as error:
        pytest.skip(str(error))

    assert [path.name for path in tmp_path.iterdir()] == ["queue.db"]
    assert (tmp_path / "queue.db").read_bytes() == b"rows"
