"""`waq callback` says who is called back, and shows what they were told; a secret is shown once."""

import json

from tests.cli.conftest import Waq
from waqcore.queue import Queue
from waqcore.signature import key_of
from waqcore.store import callbacks
from waqcore.store.controls import Filter

URL = "https://app.example/whatsapp"


def _add(waq: Waq, *events: str) -> dict[str, str]:
    options = [word for event in events for word in ("--event", event)]
    made: dict[str, str] = json.loads(waq("callback", "add", URL, *options, "--json").stdout)
    return made


def test_the_secret_is_shown_once_and_the_audit_says_who_made_it(waq: Waq, queue: Queue) -> None:
    made = waq("callback", "add", URL, "--event", "message.failed").stdout

    (row,) = queue.store.read(callbacks.listing)
    listed = waq("callback", "list").stdout
    happening = queue.audit(1)[0].happening
    assert row.secret in made
    assert len(key_of(row.secret)) == 32
    assert row.secret not in listed
    assert (row.id in listed, URL in listed, "message.failed" in listed) == (True, True, True)
    assert (happening.action, happening.actor.partition(":")[0]) == ("add callback", "cli")


def test_a_script_reads_what_the_api_would_answer(waq: Waq) -> None:
    made = _add(waq, "message.sent", "message.failed")

    (listed,) = json.loads(waq("callback", "list", "--json").stdout)["callbacks"]

    assert made.pop("secret").startswith("whsec_")
    assert listed == made
    assert listed["events"] == ["message.failed", "message.sent"]
    assert listed["disabled_at"] is None


def test_deliveries_show_what_was_told_and_what_not_yet(waq: Waq, queue: Queue) -> None:
    made = _add(waq, "message.cancelled")
    message = queue.enqueue("081234567890", "Halo", reference="REG-1")
    before = waq("callback", "deliveries", made["id"]).stdout
    queue.cancel(Filter(ids=(message.id,)))

    after = waq("callback", "deliveries", made["id"]).stdout
    (one,) = json.loads(waq("callback", "deliveries", made["id"], "--json").stdout)["deliveries"]

    assert "told nothing yet" in before
    assert message.id in after
    assert "message.cancelled" in after
    assert (one["status"], one["tries"], one["reference"]) == ("pending", 0, "REG-1")


def test_one_that_was_disabled_says_why(waq: Waq, queue: Queue) -> None:
    made = _add(waq, "message.sent")
    queue.store.write(lambda c: callbacks.disable(c, made["id"], "it answered 410", "d", 1))

    assert "disabled: it answered 410" in waq("callback", "list").stdout


def test_one_that_is_removed_is_gone_once_that_is_confirmed(waq: Waq, queue: Queue) -> None:
    made = _add(waq, "message.sent")

    asked = waq("callback", "remove", made["id"])
    left = len(queue.store.read(callbacks.listing))
    done = waq("callback", "remove", made["id"], "--yes")

    assert (asked.exit_code, left) == (2, 1)
    assert done.exit_code == 0
    assert queue.store.read(callbacks.listing) == []
    assert queue.audit(1)[0].happening.action == "remove callback"


def test_what_is_wrong_is_said_in_one_line(waq: Waq) -> None:
    address = waq("callback", "add", "ftp://app.example", "--event", "message.sent")
    event = waq("callback", "add", URL, "--event", "message.read")
    nobody = waq("callback", "remove", "cb_0", "--yes")
    unknown = waq("callback", "deliveries", "cb_0")

    assert [one.exit_code for one in (address, event, nobody, unknown)] == [2, 2, 1, 1]
    assert "is no address to call back" in address.stderr
    assert "not message.read" in event.stderr
    assert "no callback 'cb_0'" in nobody.stderr
