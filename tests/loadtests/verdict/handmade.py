"""A run's folder made by hand: six messages of one sender, all in order, to be broken singly."""

import json
from pathlib import Path
from typing import Any

import msgspec

from loadtests.verdict.evidence import Evidence
from loadtests.verdict.finding import Finding, State
from loadtests.verdict.folder import read
from loadtests.verdict.judge import judge

US = 1_000_000
START = 1_767_225_600 * US
PACE_S = 10.0
SENDER = "628114040707"
TRIP_US = 100_000

Line = dict[str, Any]


def at(seconds: float) -> int:
    """An instant so many seconds into the run."""
    return START + round(seconds * US)


class HandMade:
    """The files of a run, as lists of lines that a test may change before it is judged."""

    def __init__(self) -> None:
        self.run: Line = {
            "scenario": "by hand",
            "seed": 7,
            "pace_s": PACE_S,
            "guard_s": 0.05,
            "started_at": at(0),
            "ended_at": at(120),
            "parameters": {"users": 3, "faults": True},
            "versions": {"python": "3.11"},
            "chaos": [],
            "limits": {},
        }
        self.calls: list[Line] = []
        self.messages: list[Line] = []
        self.attempts: list[Line] = []
        self.acknowledged: list[Line] = []
        self.samples: list[Line] = []
        # Three people within a second; links go first, each 10.05 s after the last one's call.
        for n in range(3):
            self.promise(f"L{n}", "high", 0.3 * n)
            self.promise(f"A{n}", "normal", 0.3 * n)
        for place, id_ in enumerate(("L0", "L1", "L2", "A0", "A1", "A2")):
            self.call(id_, 0.05 + 10.05 * place)

    def promise(self, id_: str, priority: str, seconds: float) -> None:
        """A message is acknowledged and stored."""
        seq = len(self.messages) + 1
        self.acknowledged.append(
            {
                "id": id_,
                "kind": "message",
                "acknowledged_at": at(seconds + 0.02),
                "priority": priority,
                "recipient": "6281",
                "mark": f"<{id_}>",
                "took_us": 20_000,
                "eta_at": at(seconds + 10),
                "eta_low_at": at(seconds),
                "eta_high_at": at(seconds + 60),
            }
        )
        self.messages.append(
            {
                "seq": seq,
                "id": id_,
                "sender": SENDER,
                "priority": priority,
                "enqueued_at": at(seconds + 0.01),
                "state": "queued",
                "attempts": 0,
                "failures": 0,
                "maybe_duplicate": False,
            }
        )

    def call(
        self, id_: str, seconds: float, *, fault: str = "ok", outcome: str = "accepted"
    ) -> None:
        """A message is called, and ended if that was accepted."""
        message = self.message(id_)
        message["attempts"] += 1
        message["failures"] += outcome == "not_sent"
        if outcome == "accepted":
            message |= {"state": "sent", "ended_at": at(seconds) + TRIP_US}
        self.attempts.append(
            {
                "message_id": id_,
                "sender": SENDER,
                "number": message["attempts"],
                "called_at": at(seconds),
                "finished_at": at(seconds) + TRIP_US,
                "outcome": outcome,
            }
        )
        self.arrive(id_, seconds + 0.001, fault=fault, delivered=outcome != "not_sent")

    def arrive(
        self, id_: str, seconds: float, *, fault: str = "ok", delivered: bool = True
    ) -> None:
        """A call reaches the gateway."""
        text = f"Halo <{id_}>"
        self.calls.append(
            {
                "call": len(self.calls) + 1,
                "arrived_us": round(seconds * US),
                "arrived_at": at(seconds),
                "sender": SENDER,
                "recipients": ["6281"],
                "text": text,
                "deliveries": [{"recipient": "6281", "text": text}] if delivered else [],
                "status": 200 if delivered else 400,
                "fault": fault,
            }
        )

    def message(self, id_: str) -> Line:
        """A message's line."""
        return next(line for line in self.messages if line["id"] == id_)

    def kill(self, seconds: float, *, back: float) -> None:
        """The service is killed, and started again."""
        self.run["chaos"].append({"what": "kill", "at": at(seconds), "restored_at": at(back)})

    def write(self, folder: Path) -> Path:
        """Write the files."""
        (folder / "run.json").write_text(json.dumps(self.run))
        for name in ("calls", "messages", "attempts", "acknowledged", "samples"):
            lines = b"".join(msgspec.json.encode(line) + b"\n" for line in getattr(self, name))
            (folder / f"{name}.jsonl").write_bytes(lines)
        return folder

    def findings(self, folder: Path) -> dict[str, Finding]:
        """What the verdict says, by the name of each check."""
        verdict = judge(Evidence(read(self.write(folder))))
        return {finding.name: finding for finding in verdict.findings}

    def broken(self, folder: Path) -> dict[str, list[str]]:
        """The checks that found something, and what."""
        findings = self.findings(folder).values()
        return {one.name: one.examples for one in findings if one.state is State.BROKEN}
