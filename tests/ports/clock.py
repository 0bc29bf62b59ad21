"""Time that passes when it is told to."""


class Clock:
    """A wall clock: seconds since 1970."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now
