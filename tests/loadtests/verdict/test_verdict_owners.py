"""Which message a call of the gateway's log belongs to."""

from loadtests.verdict.owners import owners
from loadtests.verdict.records import Acknowledged, Attempt, Call

US = 1_000_000


def _call(number: int, seconds: float, to: str, text: str = "Halo") -> Call:
    arrived = round(seconds * US)
    return Call(number, arrived, arrived, "S", (to,), text, (), 200, "ok")


def _promise(id_: str, to: str | None, mark: str | None = None) -> Acknowledged:
    return Acknowledged(id=id_, kind="message", acknowledged_at=0, recipient=to, mark=mark)


def _attempt(id_: str, called: float | None, *, outcome: str | None = "accepted") -> Attempt:
    called_at = None if called is None else round(called * US)
    finished_at = None if called_at is None else called_at + 50_000
    return Attempt(id_, "S", 1, called_at, finished_at, outcome)


def _owners(calls: list[Call], promises: list[Acknowledged], attempts: list[Attempt]) -> list[str]:
    found = owners(calls, {one.id: one for one in promises}, attempts)
    return [found.get(call.call, "nobody") for call in calls]


def test_a_mark_goes_before_everything_else() -> None:
    promises = [_promise("link", "1", "https://x"), _promise("welcome", "1")]
    attempts = [_attempt("welcome", 5.0)]

    assert _owners([_call(1, 5.0, "1", "pay https://x")], promises, attempts) == ["link"]


def test_of_those_without_a_mark_the_nearest_attempt_decides() -> None:
    promises = [_promise("welcome", "1"), _promise("paid", "1")]
    attempts = [_attempt("welcome", 5.0), _attempt("paid", 6.0)]

    assert _owners([_call(1, 5.01, "1"), _call(2, 6.01, "1", "b")], promises, attempts) == [
        "welcome",
        "paid",
    ]


def test_an_attempt_is_of_its_nearest_call_and_another_is_of_who_died_in_it() -> None:
    promises = [_promise("welcome", "1"), _promise("paid", "1")]
    attempts = [
        _attempt("welcome", 5.0),
        _attempt("paid", None, outcome="unknown"),
        _attempt("paid", 8.0),
    ]
    calls = [_call(1, 5.01, "1", "a"), _call(2, 5.3, "1", "b"), _call(3, 8.01, "1", "b")]

    assert _owners(calls, promises, attempts) == ["welcome", "paid", "paid"]


def test_a_call_may_have_arrived_before_the_instant_it_was_stamped_with() -> None:
    assert _owners([_call(1, 4.9, "1")], [_promise("a", "1")], [_attempt("a", 5.0)]) == ["a"]


def test_a_call_is_never_that_of_a_message_to_somebody_else() -> None:
    promises = [_promise("a", "1"), _promise("b", "2")]
    attempts = [_attempt("a", 5.0), _attempt("b", None, outcome="unknown")]

    assert _owners([_call(1, 5.04, "2")], promises, attempts) == ["b"]


def test_a_call_that_was_refused_before_it_left_explains_nothing() -> None:
    attempts = [_attempt("a", None, outcome="not_called")]

    assert _owners([_call(1, 5.0, "1")], [_promise("a", "1")], attempts) == ["nobody"]


def test_what_was_never_acknowledged_is_known_by_its_time() -> None:
    calls = [_call(1, 5.01, "9"), _call(2, 5.2, "9", "late")]

    assert _owners(calls, [], [_attempt("x", 5.0)]) == ["x", "nobody"]


def test_the_same_text_again_is_the_same_message() -> None:
    calls = [_call(1, 5.01, "9"), _call(2, 25.0, "9")]

    assert _owners(calls, [], [_attempt("x", 5.0)]) == ["x", "x"]


def test_a_call_to_a_stranger_is_not_that_of_a_message_whose_recipient_is_known() -> None:
    assert _owners([_call(1, 5.01, "9")], [_promise("a", "1")], [_attempt("a", 5.0)]) == ["nobody"]
