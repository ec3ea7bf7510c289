"""What goes wrong with the database, each with what to do about it."""


class StoreError(Exception):
    """The database cannot be used as it is; the text says why and what to do."""


class NewerDatabaseError(StoreError):
    """The database was written by a newer version of waqcore."""

    def __init__(self, revision: str, ours: str) -> None:
        super().__init__(
            f"the database is at schema {revision}, this waqcore knows up to {ours}: "
            "install the newer waqcore, or restore a backup from before the upgrade"
        )
        self.revision = revision


class OlderDatabaseError(StoreError):
    """The database is of an older version of waqcore, and may only be read."""

    def __init__(self, revision: str, ours: str) -> None:
        super().__init__(
            f"the database is at schema {revision}, this waqcore reads {ours}: "
            "open it once with a command that may write, such as `waq status`, to upgrade it"
        )
        self.revision = revision


class UnwritableDatabaseError(StoreError):
    """The database cannot be written to: the disk is full or read-only."""


class UnreachableDatabaseError(StoreError):
    """The server cannot be reached, or the connection to it broke before anything was stored."""


class RefusingDatabaseError(UnreachableDatabaseError):
    """The server is there and lets us in as little later as now: a person has to act first."""


class PassingError(UnreachableDatabaseError):
    """Nothing was stored, and to try again at once may well help."""


class DoubtfulCommitError(StoreError):
    """The connection broke while the server was committing: nobody here knows whether it did."""


class RepeatableDoubtError(DoubtfulCommitError, PassingError):
    """As that, of what may be tried again at once: were it stored, that would be seen."""
