"""The settings of one process: the declaration, filled from arguments, environment and files."""

from typing import Any, ClassVar

from pydantic import PrivateAttr, ValidationError
from pydantic_core import ErrorDetails

from wistlake.errors import ConfigError
from wistlake.settings import read
from wistlake.settings.declare import Declaration
from wistlake.settings.document import BY_FIELD, BY_VARIABLE
from wistlake.settings.values import shown, similar


class Settings(Declaration):
    """All settings of one process, checked. ConfigError lists every problem at once.

    Arguments are field names (`Settings(lookback_days=3)`) and beat the environment and the files.
    """

    reads_files: ClassVar[bool] = True
    reads_environment: ClassVar[bool] = True
    _warnings: tuple[str, ...] = PrivateAttr(())

    def __init__(self, **given: Any) -> None:
        environment = read.environment() if self.reads_environment else {}
        dotenv, toml = files = read.files(environment) if self.reads_files else (read.NO_FILE, read.NO_FILE)
        arguments = {
            BY_FIELD[name].variable if name in BY_FIELD else name: value for name, value in given.items()
        }
        problems = [*dotenv.problems, *toml.problems]
        try:
            super().__init__(**{**toml.values, **dotenv.values, **environment, **arguments})
        except ValidationError as e:
            problems += [_sentence(error) for error in e.errors(include_url=False)]
        if problems:
            # Outside of the except clause: pydantic's own text has no business in the traceback.
            raise ConfigError(list(dict.fromkeys(problems)))
        self._warnings = tuple(read.warnings(files, environment))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a settings file decides that may not be the user's own, a line each."""
        return self._warnings


class WithoutFiles(Settings):
    """The settings of arguments and environment alone: those of somebody who is about to write the files."""

    reads_files = False


class ArgumentsOnly(WithoutFiles):
    """The settings of arguments alone, for simulated days: nothing of this machine takes part."""

    reads_environment = False


def _sentence(error: ErrorDetails) -> str:
    """A pydantic error as a sentence: the variable, what it is, what it accepts."""
    name = str(error["loc"][0])
    doc = BY_VARIABLE.get(name)
    if doc is None:
        return f"{name} isn't a setting{similar(name, BY_FIELD) or ': remove it'}"
    if (cause := error.get("ctx", {}).get("error")) and doc.variable in str(cause):
        return str(cause)
    value = "not understood" if doc.secret else shown(error["input"])
    return f"{doc.variable} is {value}: give {doc.accepts}"
