"""Every failure that a caller may meet, sorted by what to do next; one exit code each.

    WistlakeError                                                                      70
    ├── ConfigError             correct settings or command; all problems at once        2
    ├── SourceUnavailable       429, 5xx, time-outs after every retry: run again later 75
    ├── SourceRefused           401, 403: rotate the token or widen its permissions    77
    ├── SourceMissing           404: the media is gone; the run goes on without it     65
    │   └── SourceNotInPlan     403 to an optional dataset: it is asked again in a week 65
    ├── SourceChanged           the payload is not what the contract relies on         65
    ├── ContractViolation       rows break a promise that may not be quarantined       65
    ├── Unreconciled            our totals and the source's disagree beyond the band   65
    ├── RunFailed               some media failed (pipeline/run/driver.py)             the first failure's
    ├── StepFailed              another process of a run failed (pipeline/run/stages.py) 70
    └── StoreError              change what the message names: room, rights, a release 74
        ├── StoreBusy           a race was lost, or the store not reached: try again   75
        ├── LeaseHeld           another process writes to the lake: wait for its end   75
        ├── NotRecorded         a digest was sent, without a record (pipeline/jobs/digest.py) 74
        ├── StoreDamaged        bytes are gone, cut or changed: repair, restore        74
        │   └── TableDamaged    a file of a table (adapters/table_files.py)            74
        └── ErasureIncomplete   a forgotten person is still there: forget again        74

A run that is partial, of which few media failed, ends with 3 instead.

A state machine retries by class name and knows no inheritance: SourceUnavailable and StoreBusy are the only two
whose repetition can help. Messages name the thing and the cure. They never quote a value of a personal class,
nor the token.
"""

import difflib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager


class WistlakeError(Exception):
    """Base of all errors this project raises on purpose."""

    exit_code = 70
    status = 0  # the HTTP status that the source answered with, if that is what went wrong
    concerns_the_run = False  # among the errors of a run, which are about its media otherwise


def reason(error: BaseException) -> str:
    """What may be told of an error: the text of ours; of any other its name only, for its text may quote rows."""
    return str(error) if isinstance(error, WistlakeError) else type(error).__name__


class ConfigError(WistlakeError):
    """The settings are wrong; `problems` lists every one of them with its cure."""

    exit_code = 2

    def __init__(self, problems: str | Sequence[str]) -> None:
        self.problems = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__("\n".join(self.problems))


def closest(name: str, names: Iterable[str]) -> str:
    """The one of `names` that is most like `name`; "" if none is."""
    return next(iter(difflib.get_close_matches(name, list(names), n=1, cutoff=0.6)), "")


def unknown(what: str, name: str, names: Iterable[str]) -> ConfigError:
    """The error for a `name` that is no `what`, with the most similar name and all that there are."""
    names = list(names)
    match, there = closest(name, names), ", ".join(names) or "none"
    return ConfigError(
        f"no such {what}: {name[:40]}{f', did you mean {match}?' if match else ''} (there are {there})"
    )


class SourceUnavailable(WistlakeError):
    """Wistia could not answer within the retry budget; nothing is lost, run again later."""

    exit_code = 75


class SourceRefused(WistlakeError):
    """Wistia refuses the token; retrying can't help."""

    exit_code = 77


class SourceMissing(WistlakeError):
    """Wistia answers 404: the media is deleted, or this account has no such endpoint.

    Not a failure of the run by itself: the pipeline records what is missing and goes on.
    """

    exit_code = 65


class SourceNotInPlan(SourceMissing):
    """Wistia answers 403 to an optional dataset: the account's plan does not include it."""


class SourceChanged(WistlakeError):
    """The payload lacks or retypes something that the contract relies on."""

    exit_code = 65


class ContractViolation(WistlakeError):
    """Rows break a promise that may not be quarantined."""

    exit_code = 65


class Unreconciled(WistlakeError):
    """Our totals and the source's disagree beyond the band, so gold was not touched."""

    exit_code = 65


class StoreError(WistlakeError):
    """A store can't do what it was asked to until somebody changes what the message names."""

    exit_code = 74


class StoreBusy(StoreError):
    """Another writer was faster, or the store was throttled or out of reach; the same call may succeed soon."""

    exit_code = 75


class LeaseHeld(StoreError):
    """Another process is writing to the lake; the message says which one, and since when."""

    exit_code = 75


class StoreDamaged(StoreError):
    """What was stored is gone, cut or changed. A retry can't help; the message names the repair."""


class ErasureIncomplete(StoreError):
    """Data of a person who was to be forgotten is still in place; the same command has to run again."""


@contextmanager
def explained(reasons: Callable[[], Iterable[WistlakeError]]) -> Iterator[None]:
    """Replace whatever fails in the block by the first of the `reasons`, if there is one: libraries meet a damaged
    file, or a full disk, with errors of many kinds. Errors of ours pass."""
    try:
        yield
    except WistlakeError:
        raise
    except Exception as e:
        for reason in reasons():
            raise reason from e
        raise
