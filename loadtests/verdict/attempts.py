"""How often was each message called, and was every call counted? P4."""

from collections import Counter
from collections.abc import Iterator

from loadtests.verdict.evidence import Evidence
from loadtests.verdict.finding import Finding, finding
from loadtests.verdict.records import Message

FINAL = ("rejected", "refused")
"""Outcomes after which a message may fail with fewer failures than are allowed: it can never
succeed, or it has been refused past its maximum age."""


def check(evidence: Evidence) -> Finding:
    """Compare the database's attempts with the gateway's calls, message by message."""
    problems = [
        f"{evidence.described(message.id)}: {problem}"
        for message in evidence.messages.values()
        for problem in _of_message(evidence, message)
    ]
    distribution = per_message(evidence)
    called = sum(number for attempts, number in distribution.items() if attempts)
    total = sum(attempts * number for attempts, number in distribution.items())
    said = f"{total:,} attempts, at most {max(distribution, default=0)} for a message"
    if called:
        said += f", {total / called:.3f} for each that was called"
    return finding(
        "attempts",
        "Was every call counted?",
        said,
        problems,
        {f"messages with {n} attempts": distribution[n] for n in sorted(distribution)},
    )


def per_message(evidence: Evidence) -> Counter[int]:
    """How many messages had so many attempts."""
    return Counter(len(evidence.attempts.get(id_, ())) for id_ in evidence.messages)


def _of_message(evidence: Evidence, message: Message) -> Iterator[str]:
    attempts = evidence.attempts.get(message.id, [])
    calls = len(evidence.calls_of.get(message.id, ()))
    numbers = [attempt.number for attempt in attempts]
    if calls > len(attempts):
        yield f"{calls} calls reached the gateway, {len(attempts)} attempts are in the database"
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"its attempts are numbered {numbers}"
    if message.attempts != len(attempts):
        yield f"it says {message.attempts} attempts, and {len(attempts)} are there"
    if message.failures > evidence.run.max_attempts:
        yield f"it failed {message.failures} times, though {evidence.run.max_attempts} is the end"
    yield from _failed_early(evidence, message, attempts[-1].outcome if attempts else None)


def _failed_early(evidence: Evidence, message: Message, last: str | None) -> Iterator[str]:
    early = message.failures < evidence.run.max_attempts
    if message.state == "failed" and early and last not in FINAL:
        yield f"it failed after {message.failures} failures"
