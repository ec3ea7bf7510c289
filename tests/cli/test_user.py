"""`waq user`: who may open the dashboard."""

from tests.cli.conftest import Waq
from waqcore import Queue
from waqcore.people import People, Role

PASSWORD = b"correct-horse\n"


def test_somebody_is_added_listed_changed_and_removed(waq: Waq, queue: Queue) -> None:
    added = waq("user", "add", "sari", "--role", "viewer", input_=PASSWORD)
    listed = waq("user", "list")
    people = People(queue.store, "")
    first = people.person("sari")
    changed = waq("user", "password", "sari", input_=b"another-password\n")
    second = people.person("sari")
    removed = waq("user", "remove", "sari", "--yes")

    assert added.output == "sari may sign in, as viewer.\n"
    assert "sari" in listed.output
    assert "correct-horse" not in listed.output
    assert first is not None
    assert second is not None
    assert first.role is Role.VIEWER
    assert first.stamp != second.stamp
    assert [changed.exit_code, removed.exit_code] == [0, 0]
    assert people.person("sari") is None
    actions = [row.happening.action for row in queue.audit()]
    assert actions == ["remove user", "change password", "add user"]


def test_a_password_is_known_by_its_hash_alone(waq: Waq, queue: Queue) -> None:
    waq("user", "add", "budi", "--role", "admin", input_=PASSWORD)
    people = People(queue.store, "")

    right, wrong = people.check("budi", "correct-horse"), people.check("budi", "correct-hors")

    assert right is not None
    assert right.role is Role.ADMIN
    assert wrong is None


def test_what_cannot_be_is_refused_with_a_line(waq: Waq) -> None:
    refused = [
        waq("user", "add", "admin", "--role", "viewer", input_=PASSWORD),
        waq("user", "add", "Sari W", "--role", "viewer", input_=PASSWORD),
        waq("user", "add", "sari", "--role", "boss", input_=PASSWORD),
        waq("user", "add", "sari", "--role", "viewer", input_=b"short\n"),
        waq("user", "password", "nobody", input_=PASSWORD),
        waq("user", "password", "admin", input_=PASSWORD),
    ]

    assert [result.exit_code for result in refused] == [2] * 6
    assert "WAQ_ADMIN_PASSWORD" in refused[0].output
    assert all(result.output.count("\n") == 1 for result in refused)


def test_a_name_is_taken_once(waq: Waq) -> None:
    waq("user", "add", "sari", "--role", "viewer", input_=PASSWORD)

    again = waq("user", "add", "sari", "--role", "admin", input_=PASSWORD)

    assert again.exit_code == 2
    assert "there is a 'sari' already" in again.output
