"""waqcore: a paced, prioritised, durable dispatcher for WhatsApp messages."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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

_ROOMS = {
    "Attempt": "message",
    "Draft": "draft",
    "DraftError": "draft",
    "Eta": "message",
    "Filter": "store.controls",
    "IdempotencyError": "store.enqueue",
    "LaneStatus": "status",
    "Message": "message",
    "NotFoundError": "queue",
    "PhoneError": "phone",
    "Priority": "core.message",
    "Queue": "queue",
    "Resolution": "core.control",
    "Settings": "settings",
    "SettingsError": "settings",
    "State": "core.message",
    "Status": "status",
    "StoreError": "store.errors",
    "SuppressedError": "store.enqueue",
    "TextError": "text",
}

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


def __getattr__(name: str) -> object:
    # Imported when first used: SQLAlchemy takes 0.3 s, which neither `waq --help`, nor a shell that
    # completes a word, nor a simulation on the core has to spend.
    if name not in _ROOMS:
        raise AttributeError(f"module 'waqcore' has no attribute {name!r}")
    return getattr(import_module(f"waqcore.{_ROOMS[name]}"), name)
