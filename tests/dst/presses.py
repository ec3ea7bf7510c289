"""What applications and people do in a story: they enqueue, and press what there is to press."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

from tests.dst.chorus import sing
from tests.dst.plan import SENDERS, Act, Plan
from waqcore.clock import Clock
from waqcore.core.control import Resolution
from waqcore.core.message import OnUnknown, Priority, State
from waqcore.draft import Draft, Rules, check
from waqcore.queue import Queue
from waqcore.senders import Fleet
from waqcore.settings import Settings
from waqcore.store import enqueue
from waqcore.store.controls import Filter
from waqcore.store.enqueue import SuppressedError
from waqcore.store.fresh import NewMessage
from waqcore.store.store import Store


class Presses:
    """The people and applications of a story, with a queue and a store of their own."""

    def __init__(self, plan: Plan, settings: Settings, fleet: Fleet, clock: Clock) -> None:
        self._plan = plan
        self._settings = settings
        self._fleet = fleet
        self._bodies = 0
        self._batches: list[str] = []
        self.resends = 0
        """How often a person asked for messages to be sent again."""
        self.cancelled: set[str] = set()
        """Texts that a person wanted cancelled, and has not queued again since."""
        self.opted_out: set[str] = set()
        """Texts to numbers that want no more."""
        self.acknowledged: dict[str, bool] = {}
        """Whether whoever enqueued a text was told that it is in."""
        self.decided = False
        """A person has decided about messages in doubt: what becomes of them is on them."""
        self._open(clock)

    def reopen(self, clock: Clock) -> None:
        """What is opened anew after the machine has started anew."""
        self.close()
        self._open(clock)

    def close(self) -> None:
        """Let go of the database."""
        self.queue.close()

    def press(self, act: Act) -> None:
        """Do what an act says; nothing where there is nothing to do it to."""
        match act.what, act.args:
            case "enqueue", (int(many), int(sender), str(priority), send_in, lives_for):
                for _ in range(many):
                    self._enqueue(sender, priority, send_in, lives_for)
            case "chorus", (int(many), int(sender), int(refused)):
                self._chorus(many, sender, refused)
            case "send_now", (int(sender),):
                self._enqueue(sender, "high", None, None, Priority.BYPASS)
            case "pause", (int(sender), seconds):
                until = None if not isinstance(seconds, int) else self._in(seconds)
                self.queue.pause("story", sender=SENDERS[sender], until=until)
            case "resume", _:
                self.queue.resume()
            case "process", _:
                self.queue.process()
            case _:
                self._to_messages(act)

    def cancel(self, body: str) -> None:
        """Cancel a message, or ask it of one that is being sent."""
        self.cancelled.add(body)
        self.queue.cancel(Filter(ids=(body,)))

    def _to_messages(self, act: Act) -> None:
        match act.what, act.args:
            case "cancel", (int(which),):
                self.cancel(f"m{which}")
            case "prioritise", (int(which), str(word)):
                self.queue.prioritise(self._one(which), Priority[word.upper()])
            case "suppress", (int(which),):
                self.opted_out.add(f"m{which}")
                self.queue.suppress(_number(which), reason="asked to")
            case "clear", _:
                batch, _ = self.queue.clear()
                self._batches.append(batch)
            case "restore", _ if self._batches:
                self.queue.restore(self._batches.pop())
            case "retry", _:
                self.queue.retry(Filter(states=(State.FAILED, State.EXPIRED)))
            case "resolve", (str(word),):
                self.resends += word == "resend"
                self.decided = True
                self.queue.resolve(Filter(states=(State.UNKNOWN,)), Resolution(word))
            case _:
                pass  # Nothing was cleared that could be restored.

    def _enqueue(
        self,
        sender: int,
        priority: str,
        send_in: object,
        lives_for: object,
        bypass: Priority | None = None,
    ) -> None:
        new = self._new(sender, priority, send_in, lives_for, bypass)
        self.acknowledged[new.body] = False
        with suppress(SuppressedError):
            self.store.write_jointly(enqueue.enqueue_jointly, [new])
            self.acknowledged[new.body] = True

    def _chorus(self, many: int, sender: int, refused: int) -> None:
        """Enqueue in one commit for several callers, of whom one is refused."""
        unwanted = self._bodies + 1 + refused
        self.opted_out.add(f"m{unwanted}")
        self.queue.suppress(_number(unwanted), reason="asked to")
        news = [self._new(sender, "normal") for _ in range(many)]
        for new, told in zip(news, sing(self.store, news), strict=True):
            self.acknowledged[new.body] = told

    def _new(
        self,
        sender: int,
        priority: str,
        send_in: object = None,
        lives_for: object = None,
        bypass: Priority | None = None,
    ) -> NewMessage:
        self._bodies += 1
        draft = Draft(
            to=_number(self._bodies),
            body=f"m{self._bodies}",
            priority=priority,
            sender=SENDERS[sender],
            send_at=self._in(send_in) if isinstance(send_in, int) else None,
            expires_at=self._expiry(send_in, lives_for),
            on_unknown=self._plan.rules.on_unknown,
        )
        # Not through the queue: its ids are drawn by chance, and backoffs are made of them.
        rules = Rules(fleet=self._fleet, mobile_only=True, on_unknown=OnUnknown.RESEND)
        wall = self.store.now().wall
        return check(draft, rules, id_=draft.body, wall=wall, priority=bypass)

    def _expiry(self, send_in: object, lives_for: object) -> datetime | None:
        if not isinstance(lives_for, int):
            return None
        return self._in(lives_for + (send_in if isinstance(send_in, int) else 0))

    def _in(self, seconds: int) -> datetime:
        wall = datetime.fromtimestamp(self.store.clock.wall_us() // 1_000_000, UTC)
        return wall + timedelta(seconds=seconds)

    def _one(self, which: int) -> Filter:
        return Filter(ids=(f"m{which}",))

    def _open(self, clock: Clock) -> None:
        self.queue = Queue(self._settings, self._fleet, actor="story", clock=clock)
        # Shared by all: an engine for each process would compile every statement anew, half of
        # the time of a story. What goes wrong with a store does so at each process's calls of it.
        self.store: Store = self.queue.store


def _number(which: int) -> str:
    return f"+6281234560{which:03}"
