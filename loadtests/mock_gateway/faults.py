"""What can go wrong with a send call, and whether WhatsApp delivers all the same."""

from enum import Enum, StrEnum
from typing import NamedTuple


class Fault(StrEnum):
    """How a send call ends; the words of weather files."""

    OK = "ok"
    OK_WITHOUT_ID = "ok_without_id"
    STATUS_FALSE = "status_false"
    FAILED = "failed"
    NOT_REGISTERED = "not_registered"
    DISCONNECTED = "disconnected"
    BAD_KEY = "bad_key"
    FOREIGN_SENDER = "foreign_sender"
    NO_PERMISSION = "no_permission"
    NO_QUOTA = "no_quota"
    INVALID = "invalid"
    BACKEND_DOWN = "backend_down"
    THROTTLED = "throttled"
    ERROR_500 = "error_500"
    ERROR_500_BUT_DELIVERED = "error_500_but_delivered"
    HTML_502 = "html_502"
    HANG = "hang"
    RESET_AFTER_WRITE = "reset_after_write"
    SLOW = "slow"
    UNAUTHORIZED = "unauthorized"
    NOT_WORKING = "not_working"
    COLD = "cold"
    OK_THEN_FAILED_RECEIPT = "ok_then_failed_receipt"
    DUPLICATE_RECEIPTS = "duplicate_receipts"
    RECEIPTS_OUT_OF_ORDER = "receipts_out_of_order"


ACCEPTING = (
    Fault.OK,
    Fault.SLOW,
    Fault.OK_THEN_FAILED_RECEIPT,
    Fault.DUPLICATE_RECEIPTS,
    Fault.RECEIPTS_OUT_OF_ORDER,
)
"""Those whose call is answered as sent, and with an id if one is asked for."""

DOWN = (Fault.DISCONNECTED, Fault.NOT_WORKING)
"""Those that info-devices knows of too."""


class Delivery(Enum):
    """Whether the text reaches the phone."""

    YES = "yes"
    NO = "no"
    AS_RULED = "as ruled"  # The rule's `delivered` decides; it does not unless that is true.


class Effect(NamedTuple):
    """What a fault means for one call."""

    delivery: Delivery
    of_whole_call: bool  # False: it strikes one recipient; others of the same call may succeed.


EFFECTS: dict[Fault, Effect] = {
    Fault.OK: Effect(Delivery.YES, of_whole_call=False),
    Fault.OK_WITHOUT_ID: Effect(Delivery.YES, of_whole_call=False),
    Fault.STATUS_FALSE: Effect(Delivery.NO, of_whole_call=False),
    Fault.FAILED: Effect(Delivery.NO, of_whole_call=False),
    Fault.NOT_REGISTERED: Effect(Delivery.NO, of_whole_call=False),
    Fault.DISCONNECTED: Effect(Delivery.NO, of_whole_call=True),
    Fault.BAD_KEY: Effect(Delivery.NO, of_whole_call=True),
    Fault.FOREIGN_SENDER: Effect(Delivery.NO, of_whole_call=True),
    Fault.NO_PERMISSION: Effect(Delivery.NO, of_whole_call=True),
    Fault.NO_QUOTA: Effect(Delivery.NO, of_whole_call=True),
    Fault.INVALID: Effect(Delivery.NO, of_whole_call=True),
    Fault.BACKEND_DOWN: Effect(Delivery.AS_RULED, of_whole_call=True),
    Fault.THROTTLED: Effect(Delivery.NO, of_whole_call=True),
    Fault.ERROR_500: Effect(Delivery.NO, of_whole_call=True),
    Fault.ERROR_500_BUT_DELIVERED: Effect(Delivery.YES, of_whole_call=True),
    Fault.HTML_502: Effect(Delivery.AS_RULED, of_whole_call=True),
    Fault.HANG: Effect(Delivery.AS_RULED, of_whole_call=True),
    Fault.RESET_AFTER_WRITE: Effect(Delivery.AS_RULED, of_whole_call=True),
    Fault.SLOW: Effect(Delivery.YES, of_whole_call=True),
    Fault.UNAUTHORIZED: Effect(Delivery.NO, of_whole_call=True),
    Fault.NOT_WORKING: Effect(Delivery.NO, of_whole_call=True),
    Fault.COLD: Effect(Delivery.NO, of_whole_call=False),
    Fault.OK_THEN_FAILED_RECEIPT: Effect(Delivery.NO, of_whole_call=False),
    Fault.DUPLICATE_RECEIPTS: Effect(Delivery.YES, of_whole_call=False),
    Fault.RECEIPTS_OUT_OF_ORDER: Effect(Delivery.YES, of_whole_call=False),
}
