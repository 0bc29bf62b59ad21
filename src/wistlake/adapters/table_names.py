"""Where a query names tables. Loads no engine."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_NAME = r'(?:"(?:[^"]|"")*"|[A-Za-z_]\w*)(?:\s*\.\s*(?:"(?:[^"]|"")*"|\w+))*'
_TEXT = r"'(?:[^']|'')*'"
_COMMENT = r"--[^\n]*|/\*.*?\*/"
_NOT_CODE = re.compile(rf'{_TEXT}|"(?:[^"]|"")*"|{_COMMENT}', re.DOTALL)
_OTHER_USE = r"\bIS\s+(?:NOT\s+)?DISTINCT\s+FROM\b|\bWITH\s+ORDINALITY\b"  # of words that begin a clause
_TOKEN = re.compile(rf"{_OTHER_USE}|{_NAME}|[(),]", re.IGNORECASE)
# What follows a name that a WITH defines.
_DEFINED = re.compile(r"\s*(?:\([^()]*\)\s*)?AS\s*(?:(?:NOT\s+)?MATERIALIZED\s*)?\(", re.IGNORECASE)
_READS = ("FROM", "JOIN", "TABLE")
_ENDS_FROM = (
    "SELECT", "WITH", "VALUES", "WHERE", "GROUP", "HAVING", "WINDOW", "QUALIFY", "UNION", "EXCEPT", "INTERSECT",
    "ORDER", "LIMIT", "OFFSET", "FETCH",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TableName:
    """A name of a table in a query, as tables have it, and where it stands there."""

    name: str
    start: int
    end: int


@dataclass(slots=True)
class _Level:
    """What is known inside one pair of brackets."""

    is_from: bool = False  # in the list of a FROM
    is_table: bool = False  # the next name is a table's
    is_recursive: bool = False
    defined: set[str] = field(default_factory=set)
    defines: str = ""  # the name that a WITH gives to what is inside

    def opened(self, defines: str) -> "_Level":
        """What a bracket begins here."""
        inner = _Level(self.is_table, self.is_table, defines=defines)
        self.is_table = False
        return inner

    def has_taken(self, word: str) -> bool:
        """Whether it is a comma or word of the grammar; then the level knows."""
        if word == ",":
            self.is_table = self.is_from
        elif word in (*_READS, *_ENDS_FROM):
            self.is_from = self.is_table = word in _READS
        elif word == "RECURSIVE":
            self.is_recursive = True
        else:
            return word == "LATERAL"
        return True


def plain_name(name: str) -> str:
    """A name as tables have it: `"Ops"."intervals"` is ops.intervals."""
    return re.sub(r"\s*\.\s*", ".", name.replace('"', "").lower())


def code(text: str) -> str:
    """A query with blanks for its comments and for what its texts hold."""
    return _NOT_CODE.sub(lambda found: found[0] if found[0][0] == '"' else " " * len(found[0]), text)


def tables_named(text: str) -> list[TableName]:
    """The tables, and functions in their place, that a query names, in its order. A name that a WITH defines is none
    where it means that."""
    return list(_named(code(text)))


def _named(text: str) -> Iterator[TableName]:
    levels, bodies = [_Level()], dict[int, str]()
    for token in _TOKEN.finditer(text):
        level, name = levels[-1], plain_name(token[0])
        if name == "(":
            levels.append(level.opened(bodies.get(token.start(), "")))
        elif name == ")":
            if len(levels) > 1:
                levels.pop()
                levels[-1].defined.add(level.defines)
        elif not level.has_taken(token[0].upper()):
            if level.is_table and not any(name in outer.defined for outer in levels):
                yield TableName(name, token.start(), token.end())
            elif not level.is_table and (body := _DEFINED.match(text, token.end())):
                bodies[body.end() - 1] = name
                if level.is_recursive:
                    level.defined.add(name)
            level.is_table = False
