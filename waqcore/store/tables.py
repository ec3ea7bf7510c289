"""The tables, their invariants and the indexes that keep costs flat.

Two clocks: columns marked *wall* hold what people and other systems mean by time; those marked
*steady* hold our own instants, which no step of the wall clock may move. All are microseconds.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    literal_column,
)

from waqcore.core.message import State

metadata = MetaData()

_Whole = BigInteger().with_variant(Integer(), "sqlite")  # SQLite's INTEGER holds 64 bits already.


def _instant(name: str) -> Column[int]:
    return Column(name, _Whole, nullable=False, server_default="0")


def _flag(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default="0")


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default="")


message = Table(
    "waq_message",
    metadata,
    # SQLite gives a new row one more than the largest there is. Its AUTOINCREMENT would never use a
    # number again even if the newest message were deleted, which nothing does, and costs every
    # enqueue one more page to sync, a tenth of it.
    Column("seq", _Whole, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("sender", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("state", Text, nullable=False, server_default="queued"),
    Column("reference", Text),  # NULL: belongs to no group.
    Column("idempotency_key", Text),  # NULL: the caller gave none.
    Column("content_hash", Text, nullable=False),
    Column("enqueued_at", _Whole, nullable=False),  # wall
    Column("send_at", _Whole),  # wall; NULL: at once.
    Column("expires_at", _Whole),  # wall; NULL: never.
    _instant("retry_at"),  # steady; 0: no backoff.
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("on_unknown", Text, nullable=False, server_default="resend"),
    _flag("unresolved"),
    _flag("maybe_duplicate"),
    _flag("cancel_requested"),
    _text("reason"),
    Column("lease_token", Text),  # NULL: not being sent.
    Column("provider_id", Text),  # NULL: none given, or not sent.
    Column("delivery", Text),  # NULL: no receipt came.
    Column("ended_at", _Whole),  # wall; NULL: has not ended.
    Column("batch", Text),  # NULL: was not cleared as part of a batch.
    CheckConstraint(f"state IN ({', '.join(repr(s.value) for s in State)})", name="state_known"),
    CheckConstraint("priority BETWEEN 0 AND 3", name="priority_known"),
    CheckConstraint(
        "unresolved IN (0, 1) AND maybe_duplicate IN (0, 1) AND cancel_requested IN (0, 1)",
        name="flags",
    ),
    CheckConstraint("on_unknown IN ('resend', 'hold')", name="on_unknown_known"),
    CheckConstraint("(state = 'sending') = (lease_token IS NOT NULL)", name="sending_is_leased"),
    CheckConstraint("send_at IS NULL OR expires_at IS NULL OR send_at < expires_at", name="order"),
    sqlite_strict=True,
)

_queued = message.c.state == literal_column("'queued'")

# The head of each priority: those due at once in sequence, then those with a `send_at` by it. NULLs
# sort first in SQLite and last in PostgreSQL; each query takes one kind, so either serves.
Index(
    "waq_message_place",
    message.c.sender,
    message.c.priority,
    message.c.send_at,
    message.c.seq,
    sqlite_where=_queued,
    postgresql_where=_queued,
)
_scheduled = _queued & message.c.send_at.is_not(None)
Index(
    "waq_message_scheduled",
    message.c.sender,
    message.c.send_at,
    sqlite_where=_scheduled,
    postgresql_where=_scheduled,
)
_backing_off = _queued & (message.c.retry_at > 0)
Index(
    "waq_message_retry",
    message.c.sender,
    message.c.retry_at,
    sqlite_where=_backing_off,
    postgresql_where=_backing_off,
)
_expiring = _queued & message.c.expires_at.is_not(None)
Index(
    "waq_message_expires",
    message.c.expires_at,
    sqlite_where=_expiring,
    postgresql_where=_expiring,
)
_keyed = message.c.idempotency_key.is_not(None)
Index(
    "waq_message_idempotency",
    message.c.sender,
    message.c.idempotency_key,
    unique=True,
    sqlite_where=_keyed,
    postgresql_where=_keyed,
)
_referenced = message.c.reference.is_not(None)
Index(
    "waq_message_reference",
    message.c.reference,
    sqlite_where=_referenced,
    postgresql_where=_referenced,
)
# What people look for among the ended: the few that need review, a batch to restore.
REVIEWED_STATES = (State.SENDING, State.FAILED, State.UNKNOWN)
_reviewed = message.c.state.in_([state.value for state in REVIEWED_STATES])
Index("waq_message_review", message.c.state, sqlite_where=_reviewed, postgresql_where=_reviewed)
_batched = message.c.batch.is_not(None)
Index("waq_message_batch", message.c.batch, sqlite_where=_batched, postgresql_where=_batched)

attempt = Table(
    "waq_attempt",
    metadata,
    Column(
        "message_seq", _Whole, ForeignKey("waq_message.seq", ondelete="CASCADE"), primary_key=True
    ),
    Column("number", Integer, primary_key=True),
    Column("token", Text, nullable=False),
    Column("started_at", _Whole, nullable=False),  # wall; just before the call.
    Column("called_at", _Whole),  # steady; NULL: not known to have left.
    Column("finished_at", _Whole),  # wall; NULL: in flight, or its dispatcher died.
    Column("outcome", Text),  # NULL: as finished_at.
    Column("http_status", Integer),  # NULL: no HTTP answer.
    _text("detail"),
    CheckConstraint("number >= 1", name="number_from_one"),
    CheckConstraint("(finished_at IS NULL) = (outcome IS NULL)", name="finished_has_outcome"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

lane = Table(
    "waq_lane",
    metadata,
    Column("sender", Text, primary_key=True),
    _instant("paced_until"),  # steady, as all of the lane's but the pause
    _instant("closed_until"),
    Column("refusals", Integer, nullable=False, server_default="0"),
    _instant("opens_at"),
    Column("idle_since", _Whole, server_default="0"),  # NULL: not idle.
    _instant("cap_since"),
    Column("cap_calls", Integer, nullable=False, server_default="0"),
    Column("pause_by", Text),  # NULL: not paused.
    _text("pause_reason"),
    _instant("pause_at"),  # wall
    Column("pause_until", _Whole),  # wall; NULL: until somebody resumes it.
    _text("troubled"),  # Sequence numbers, by comma.
    _flag("breaker_open"),
    Column("probes", Integer, nullable=False, server_default="0"),
    Column("probe_at", _Whole),  # NULL: no probe is due.
    Column("trouble_scope", Text, nullable=False, server_default="lane"),
    Column("lease_token", Text),  # NULL: no call in flight.
    Column("lease_message", _Whole),
    Column("lease_holder", Text),
    Column("lease_claimed_at", _Whole),
    Column("lease_call_by", _Whole),
    CheckConstraint("pause_by IN ('person', 'gateway')", name="pause_by_known"),
    CheckConstraint("(lease_token IS NULL) = (lease_message IS NULL)", name="lease_has_message"),
    CheckConstraint("(lease_token IS NULL) = (lease_holder IS NULL)", name="lease_has_holder"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

dispatcher = Table(
    "waq_dispatcher",
    metadata,
    Column("id", Text, primary_key=True),
    Column("host", Text, nullable=False),  # Boot and process namespace: where `process` means one.
    Column("process", Text, nullable=False),  # Id and start, so that a reused id is not mistaken.
    Column("started_at", _Whole, nullable=False),  # wall
    Column("lease_until", _Whole, nullable=False),  # steady
    sqlite_strict=True,
)

suppression = Table(
    "waq_suppression",
    metadata,
    Column("recipient", Text, primary_key=True),
    _text("reason"),
    Column("added_at", _Whole, nullable=False),  # wall
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

event = Table(
    "waq_event",
    metadata,
    Column("id", _Whole, primary_key=True, autoincrement=True),
    Column("at", _Whole, nullable=False),  # wall
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("sender", Text),  # NULL: every lane.
    _text("detail"),
    Column("messages", Integer, nullable=False, server_default="0"),
    sqlite_autoincrement=True,
    sqlite_strict=True,
)

clock = Table(
    "waq_clock",
    metadata,
    Column("only", Integer, primary_key=True),
    Column("boot_id", Text, nullable=False),
    Column("offset_us", _Whole, nullable=False),  # Steady less the boot clock.
    Column("skew_us", _Whole, nullable=False),  # Wall less steady, when last looked at.
    CheckConstraint('"only" = 1', name="one_row"),
    sqlite_strict=True,
)

rates = Table(
    "waq_rates",
    metadata,
    Column("sender", Text, primary_key=True),
    Column("known", Text, nullable=False),  # `waqcore.core.rates.Rates` as JSON; instants steady.
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

counted = Table(
    "waq_counted",
    metadata,
    Column("only", Integer, primary_key=True),
    Column("message_seq", _Whole, nullable=False),  # Up to this one `rates` knows of arrivals.
    CheckConstraint('"only" = 1', name="one_row"),
    sqlite_strict=True,
)

forecast = Table(
    "waq_forecast",
    metadata,
    Column(
        "message_seq", _Whole, ForeignKey("waq_message.seq", ondelete="CASCADE"), primary_key=True
    ),
    Column("made_at", _Whole, nullable=False),  # wall, as all of it
    Column("at", _Whole, nullable=False),
    Column("low_at", _Whole, nullable=False),
    Column("high_at", _Whole),  # NULL: nobody could say.
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
Index("waq_forecast_made", forecast.c.made_at)

tally = Table(
    "waq_tally",
    metadata,
    Column("sender", Text, primary_key=True),
    Column("priority", Integer, primary_key=True),
    Column("queued", Integer, nullable=False),
    Column("scheduled", Integer, nullable=False),
    Column("counted_at", _Whole, nullable=False),  # wall
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

# What metrics and trends are read by: the calls of the last minutes, or of a day.
_finished = attempt.c.finished_at.is_not(None)
Index(
    "waq_attempt_finished",
    attempt.c.finished_at,
    sqlite_where=_finished,
    postgresql_where=_finished,
)

token = Table(
    "waq_token",
    metadata,
    Column("name", Text, primary_key=True),  # A revoked one's stays taken: the audit names it.
    Column("digest", Text, nullable=False, unique=True),  # SHA-256; the token itself is not kept.
    Column("scopes", Text, nullable=False),  # By comma.
    Column("created_at", _Whole, nullable=False),  # wall
    Column("revoked_at", _Whole),  # wall; NULL: it holds.
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

user = Table(
    "waq_user",
    metadata,
    Column("name", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("password", Text, nullable=False),  # scrypt with its salt and cost; never the password.
    Column("changed_at", _Whole, nullable=False),  # wall
    CheckConstraint("role IN ('admin', 'viewer')", name="role_known"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

signed_out = Table(
    "waq_signed_out",
    metadata,
    Column("session", Text, primary_key=True),
    Column("until", _Whole, nullable=False),  # wall; then its cookie is void by its age.
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

login_try = Table(
    "waq_login_try",
    metadata,
    Column("id", _Whole, primary_key=True, autoincrement=True),
    Column("key", Text, nullable=False),  # Whose: `address 10.0.0.1`, or `name budi`.
    Column("tried_at", _Whole, nullable=False),  # steady
    sqlite_strict=True,
)
Index("waq_login_try_key", login_try.c.key, login_try.c.tried_at)

secret = Table(
    "waq_secret",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),  # Hexadecimal.
    Column("made_at", _Whole, nullable=False),  # wall
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

sample = Table(
    "waq_sample",
    metadata,
    Column("minute", _Whole, primary_key=True, autoincrement=False),  # wall; when it began.
    Column("sender", Text, primary_key=True),  # Empty: all those that have no row of their own.
    Column("high", Integer, nullable=False),  # Queued at its end, the bypassing among them.
    Column("normal", Integer, nullable=False),
    Column("low", Integer, nullable=False),
    Column("sent", Integer, nullable=False),  # Calls that ended in it, by how they ended.
    Column("failed", Integer, nullable=False),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

# Applications: what people registered for, what became of their payment, and whom we tell.

registration = Table(
    "waq_registration",
    metadata,
    Column("id", Text, primary_key=True),  # The application's.
    Column("invoice", Text, nullable=False),  # At the payment provider; the newest.
    Column("content_hash", Text, nullable=False),
    Column("name", Text, nullable=False),  # With `phone` and `fields` all we know of a person.
    Column("phone", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("sender", Text),  # NULL: the first of the configured ones.
    Column("fields", Text, nullable=False),  # What templates may say besides, as JSON.
    Column("messages", Text, nullable=False),  # Their ids by kind, as JSON.
    Column("registered_at", _Whole, nullable=False),  # wall
    Column("payment", Text, nullable=False, server_default="pending"),
    _text("payment_reason"),
    Column("payment_at", _Whole),  # wall; NULL: nothing came of it yet.
    Column("invoices", Integer, nullable=False, server_default="1"),  # How many it has had.
    CheckConstraint("payment IN ('pending', 'paid', 'failed')", name="payment_known"),
    sqlite_strict=True,
)
Index("waq_registration_invoice", registration.c.invoice)

# Those of a registration that has had several: a late word about a former one is about it, too.
invoice = Table(
    "waq_invoice",
    metadata,
    Column("registration", Text, ForeignKey("waq_registration.id"), primary_key=True),
    Column("invoice", Text, primary_key=True),
    Column("content_hash", Text, nullable=False),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
Index("waq_invoice_name", invoice.c.invoice)

payment_event = Table(
    "waq_payment_event",
    metadata,
    Column("id", _Whole, primary_key=True, autoincrement=True),
    Column("provider", Text, nullable=False),
    Column("event", Text, nullable=False),  # The same of every repetition.
    Column("reference", Text, nullable=False),  # What the application called the payment.
    _text("invoice"),  # The provider's own id of it.
    Column("verdict", Text, nullable=False),
    _text("reason"),
    Column("received_at", _Whole, nullable=False),  # wall
    Column("effect", Text, nullable=False),
    CheckConstraint("verdict IN ('paid', 'failed', 'open')", name="verdict_known"),
    Index("waq_payment_event_once", "provider", "event", unique=True),
    sqlite_strict=True,
)
# A registration looks for what came before it, by either name.
Index("waq_payment_event_reference", payment_event.c.reference)
Index("waq_payment_event_invoice", payment_event.c.invoice)

callback = Table(
    "waq_callback",
    metadata,
    Column("id", Text, primary_key=True),
    Column("url", Text, nullable=False),
    Column("events", Text, nullable=False),  # `,message.sent,message.failed,`
    Column("secret", Text, nullable=False),  # Itself: a signature cannot be made from a digest.
    Column("created_at", _Whole, nullable=False),  # wall
    _instant("closed_until"),  # steady; asked to slow down, or down.
    Column("disabled_at", _Whole),  # wall; NULL: it is told.
    _text("disabled_reason"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

outbox = Table(
    "waq_outbox",
    metadata,
    Column("seq", _Whole, primary_key=True, autoincrement=True),
    Column("callback_id", Text, ForeignKey("waq_callback.id", ondelete="CASCADE"), nullable=False),
    Column("message_id", Text, nullable=False),
    Column("state", Text, nullable=False),  # Of the message when the event was written.
    Column("reference", Text),  # NULL: as the message's.
    Column("attempts", Integer, nullable=False),  # Of the message.
    Column("reason", Text, nullable=False),
    Column("ended_at", _Whole, nullable=False),  # wall
    Column("status", Text, nullable=False, server_default="pending"),
    Column("tries", Integer, nullable=False, server_default="0"),
    _instant("due_at"),  # steady; claimed: when the claim has run out.
    Column("tried_at", _Whole),  # wall; NULL: never.
    Column("http_status", Integer),  # NULL: no answer to the last try.
    _text("problem"),
    CheckConstraint("status IN ('pending', 'delivered', 'given up')", name="status_known"),
    sqlite_autoincrement=True,  # A number names an event for good, also once its row is gone.
    sqlite_strict=True,
)
_pending = outbox.c.status == literal_column("'pending'")
Index(
    "waq_outbox_due",
    outbox.c.callback_id,
    outbox.c.due_at,
    sqlite_where=_pending,
    postgresql_where=_pending,
)
Index("waq_outbox_recent", outbox.c.callback_id, outbox.c.seq)

alert = Table(
    "waq_alert",
    metadata,
    Column("name", Text, primary_key=True),  # `told`, or a condition that holds or held.
    Column("position", _Whole, nullable=False, server_default="0"),  # `told`: the last event's id.
    _flag("raised"),
    _instant("busy_until"),  # steady; whoever tells now has the claim until then.
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

# How the boot clock of each host stands to steady time, where the database is a server's.
witness = Table(
    "waq_witness",
    metadata,
    Column("boot_id", Text, primary_key=True),
    Column("offset_us", _Whole, nullable=False),  # Steady less that clock.
    Column("seen_at", _Whole, nullable=False),  # By that clock.
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
