"""`waq token` makes, lists and revokes; a token is shown once."""

import json

from tests.cli.conftest import Waq
from waqcore.queue import Queue
from waqcore.tokens import digest_of, kept_tokens


def test_a_token_is_printed_once_and_kept_as_a_digest(waq: Waq, queue: Queue) -> None:
    made = waq("token", "add", "site", "--scope", "enqueue", "--scope", "read")

    (kept,) = kept_tokens(queue)
    assert made.stdout.startswith("waq_")
    assert kept.digest == digest_of(made.stdout.strip())
    assert kept.scopes == "enqueue,read"
    assert made.stdout.strip() not in waq("token", "list").stdout


def test_the_list_says_what_was_revoked_and_the_audit_who_did(waq: Waq, queue: Queue) -> None:
    waq("token", "add", "site", "--scope", "admin")
    waq("token", "revoke", "site")

    (listed,) = json.loads(waq("token", "list", "--json").stdout)["tokens"]

    assert (listed["name"], listed["scopes"]) == ("site", ["admin"])
    assert listed["revoked_at"] is not None
    assert [one.happening.action for one in queue.audit(2)] == ["revoke token", "add token"]


def test_a_scope_there_is_none_of_is_refused(waq: Waq) -> None:
    result = waq("token", "add", "site", "--scope", "everything")

    assert result.exit_code == 2
    assert "there is no scope 'everything'" in result.stderr


def test_a_name_that_was_another_s_is_refused_and_one_that_is_nobodys_too(waq: Waq) -> None:
    waq("token", "add", "site", "--scope", "read")

    again = waq("token", "add", "site", "--scope", "read")
    nobody = waq("token", "revoke", "nobody")

    assert (again.exit_code, nobody.exit_code) == (2, 1)
    assert "site-2" in again.stderr
    assert "no token 'nobody'" in nobody.stderr
