"""Processes that must not outlive whoever started them."""

import ctypes
import signal

PR_SET_PDEATHSIG = 1


def end_with_parent(how: signal.Signals) -> None:
    """Have this process sent a signal when the thread that started it is gone, however it ended.

    Source: Linux, prctl(2).
    """
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, how)
