"""`waq doctor` on the database: there, readable, writable, whole, of our schema, and private."""

import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from waqcore import Queue

Waq = Callable[..., Result]
Put = Callable[..., str]


def _found(waq: Waq, **env: str) -> dict[str, dict[str, Any]]:
    """The findings by what was looked at; of several the last."""
    told = json.loads(waq("doctor", "--json", **env).stdout)
    return {one["what"]: one for one in told["findings"]}


def test_a_database_that_is_not_there_is_not_made(waq: Waq, tmp_path: Path) -> None:
    found = _found(waq, WAQ_DATABASE_URL=f"sqlite:///{tmp_path}/new.db")

    assert found["database"]["grade"] == "ok"
    assert not (tmp_path / "new.db").exists()


def test_a_database_that_can_not_be_made_is_bad(waq: Waq, tmp_path: Path) -> None:
    found = _found(waq, WAQ_DATABASE_URL=f"sqlite:///{tmp_path}/nowhere/new.db")

    assert found["database"]["grade"] == "bad"


def test_a_database_that_is_damaged_is_bad(
    waq: Waq, queue: Queue, put: Put, tmp_path: Path
) -> None:
    for _ in range(50):
        put()
    queue.close()
    content = bytearray((tmp_path / "q.db").read_bytes())
    content[-20_000:-16_000] = os.urandom(4_000)
    (tmp_path / "q.db").write_bytes(content)

    found = _found(waq)["database"]

    assert (found["grade"], "is damaged" in found["seen"]) == ("bad", True)


def test_what_is_no_database_is_bad(waq: Waq, tmp_path: Path) -> None:
    (tmp_path / "q.db").write_text("this is a letter, not a database\n" * 100)

    found = _found(waq)["database"]

    assert found["grade"] == "bad"
    assert "cannot be read" in found["seen"]


def test_a_database_that_somebody_holds_locked_is_bad(waq: Waq, tmp_path: Path) -> None:
    holder = sqlite3.connect(tmp_path / "q.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")

    found = _found(waq)["database"]

    holder.close()
    assert (found["grade"], "locked" in found["seen"]) == ("bad", True)


@pytest.mark.parametrize(("revision", "grade"), [("0001", "warn"), ("9999", "bad")])
def test_a_schema_of_another_version_is_told_and_left_alone(
    waq: Waq, tmp_path: Path, revision: str, grade: str
) -> None:
    with sqlite3.connect(tmp_path / "q.db") as db:
        db.execute("UPDATE waq_schema_version SET version_num = ?", (revision,))
    db.close()

    found = _found(waq)["schema"]

    assert found["grade"] == grade
    with sqlite3.connect(tmp_path / "q.db") as db:
        assert db.execute("SELECT version_num FROM waq_schema_version").fetchone() == (revision,)
    db.close()


@pytest.mark.parametrize(
    ("rights", "grade"), [(0o600, "ok"), (0o660, "ok"), (0o602, "bad"), (0o606, "bad")]
)
def test_a_file_that_everybody_may_change_is_bad(
    waq: Waq, tmp_path: Path, rights: int, grade: str
) -> None:
    (tmp_path / "q.db").chmod(rights)

    assert _found(waq)["rights"]["grade"] == grade


def test_a_new_database_is_for_nobody_else_to_read(waq: Waq, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new.db"

    waq("status", WAQ_DATABASE_URL=url)

    assert (tmp_path / "new.db").stat().st_mode & 0o777 == 0o600
    assert _found(waq, WAQ_DATABASE_URL=url)["rights"]["grade"] == "ok"
