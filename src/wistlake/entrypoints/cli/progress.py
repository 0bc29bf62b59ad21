"""A progress line on a terminal: how far a run is, and how long it still takes."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Step = Callable[[str, int, int], None]


@contextmanager
def shown(*, hidden: bool = False) -> Iterator[Step]:
    """A function to call with what is being done, how much of it is done, and of how much.

    It draws one line on standard error, with the remaining time; nothing where standard error isn't a terminal, or
    if `hidden`. Colours follow NO_COLOR.
    """
    from rich.console import Console

    console = Console(stderr=True)
    if hidden or not console.is_terminal or console.is_dumb_terminal:
        yield lambda *_: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    # What is printed goes above the line, if it goes to the terminal at all.
    together = sys.stdout.isatty()
    with Progress(*columns, console=console, transient=True, redirect_stdout=together) as progress:
        tasks = {}

        def step(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=total)
            progress.update(tasks[what], completed=done, total=total)

        yield step
