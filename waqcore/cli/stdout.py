"""Standard output that is full, closed early or not there: a line on stderr at most, no trace."""

import errno
import os
import sys
from contextlib import suppress

from waqcore.cli.errors import NOT_DONE, complain

_WRITING = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EPIPE}


def prepare() -> None:
    """Make standard output take whatever is printed."""
    if sys.stdout is None:  # Closed by whoever started us (`>&-`): nobody wants to read it.
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        # A terminal that is not UTF-8 must not turn a message's emoji into a traceback.
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def failed(error: OSError) -> bool:
    """Whether an error is one of printing: of a file, a database or a call it would have told."""
    return error.filename is None and error.errno in _WRITING


def give_up(error: OSError) -> int:
    """Say that nothing more can be printed, unless a reader had enough; returns the exit code."""
    # What is buffered would fail again as the interpreter ends, and be told in lines of its own.
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if error.errno != errno.EPIPE:
        complain(
            f"standard output cannot be written to: {error.strerror}; "
            "what the command did before stands"
        )
    return NOT_DONE


def finish(code: int) -> int:
    """Print what is still buffered; returns the exit code, which is not 0 if it could not be."""
    try:
        sys.stdout.flush()
    except OSError as error:
        return give_up(error)
    return code
