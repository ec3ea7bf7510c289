"""What the core refuses: always a programmer's error, never the gateway's or the user's."""


class IllegalTransition(Exception):
    """An event reached a message in a state that the transition table does not pair with it."""

    def __init__(self, state: str, event: str) -> None:
        super().__init__(f"a message that is '{state}' cannot take the event '{event}'")
        self.state = state
        self.event = event
