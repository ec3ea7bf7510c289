"""waqcore: a paced, prioritised, durable dispatcher for WhatsApp messages."""

from waqcore.core.control import Resolution
from waqcore.core.message import Priority, State
from waqcore.draft import Draft, DraftError
from waqcore.message import Attempt, Eta, Message
from waqcore.phone import PhoneError
from waqcore.queue import NotFoundError, Queue
from waqcore.settings import Settings, SettingsError
from waqcore.status import LaneStatus, Status
from waqcore.store.controls import Filter
from waqcore.store.enqueue import IdempotencyError, SuppressedError
from waqcore.store.errors import StoreError
from waqcore.text import TextError

__all__ = [
    "Attempt",
    "Draft",
    "DraftError",
    "Eta",
    "Filter",
    "IdempotencyError",
    "LaneStatus",
    "Message",
    "NotFoundError",
    "PhoneError",
    "Priority",
    "Queue",
    "Resolution",
    "Settings",
    "SettingsError",
    "State",
    "Status",
    "StoreError",
    "SuppressedError",
    "TextError",
]
