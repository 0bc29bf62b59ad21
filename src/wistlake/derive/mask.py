"""What may stay of a page's address, and of a text that names something: personal-looking parts are cut out.

Each rule is one pattern, used by Python and, as SQL text, by the engines: `plain_host`, `plain_path`, `plain_utm`
and `plain_name` say of a value what `host`, `path`, `utm` and `name` have an engine compute of it.

The patterns use no look-around and no shorthand classes: they must mean the same to Java's, Rust's and Python's
expression engines.
"""

import re

MASK = "[masked]"
MAX_LENGTH = 200
_MOST_READ = 2000  # characters: a longer text is hostile, and would keep the patterns busy for ever

# ---- spellings of @: itself and its wide forms, percent-encoded once or more often, &#64; &commat; \u0040 %u0040,
# (at) [at] {at} <at>
_CODED = "%(25){0,3}"
_BLANK = f"([ +]|{_CODED}20){{0,3}}"
_OPEN = rf"([(\[{{<]|{_CODED}(28|5[Bb]|7[Bb]|3[Cc]))"
_CLOSE = rf"([)\]}}>]|{_CODED}(29|5[Dd]|7[Dd]|3[Ee]))"
_SIGN = (
    f"@|\uff20|\ufe6b|{_CODED}40|{_CODED}[Ee][Ff]{_CODED}([Bb][Cc]{_CODED}[Aa]0|[Bb]9{_CODED}[Aa][Bb])"
    r"|&([Aa][Mm][Pp];)?(#(0*64|[Xx]0*40)|[Cc][Oo][Mm][Mm][Aa][Tt]);|[%\\][Uu]0040"
)
AT = f"({_SIGN}|{_BLANK}{_OPEN}{_BLANK}[Aa][Tt]{_BLANK}{_CLOSE}{_BLANK})"
_IN_URL = r"[^/=&;? \t\r\n]"

# ---- base64 of printable text with an @ after its first character: groups of four, by the place of the @. Longer
# ones are runs as tokens have them.
_FIRST, _SECOND = "[I-Za-f]", "[C-HS-Xi-nyz0-3]"
_THIRD = "([AEIMQUYcgkosw048][g-z0-9]|[BFJNRVZdhlptx159][A-Za-z0-9])"
_GROUP = f"({_FIRST}{_SECOND}{_THIRD})"
_WITH_AT = (
    f"({_GROUP}+Q[C-H]{_THIRD}|{_GROUP}*{_FIRST}[EUk0](A[g-z0-9]|B[A-Za-z0-9])"
    f"|{_GROUP}*{_FIRST}{_SECOND}[BFJNRVZdhlptx159]A)"
)
_TWO, _ONE = f"{_FIRST}{_SECOND}[AEIMQUYcgkosw048]", f"{_FIRST}[AQgw]"
_REST = f"({_GROUP}+({_ONE}|{_TWO})?|{_TWO})"
_BASE64 = rf"\b([A-Za-z0-9]*_)*{_WITH_AT}{_REST}(_[A-Za-z0-9_]*)?\b(=|%3[Dd]){{0,2}}"
_PAIR = "[2-7][0-9A-Fa-f]"
_HEX = rf"\b({_PAIR})+40({_PAIR})+2[Ee]([67][0-9A-Fa-f])+\b"

_IPV4 = r"[0-9]{1,3}([.][0-9]{1,3}){3}"
_IPV6 = r"([0-9A-Fa-f]{0,4}(:|%(25){0,3}3[Aa])){3,7}[0-9A-Fa-f]{0,4}([.][0-9]{1,3}){0,3}"  # its end may be an IPv4
_UUID = r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}"
_SESSION = (
    r"([Jj][Ss][Ee][Ss][Ss][Ii][Oo][Nn]|[Pp][Hh][Pp][Ss][Ee][Ss][Ss]|[Ss][Ee][Ss][Ss][Ii][Oo][Nn])"
    r"_?([Ii][Dd])?(=|%(25){0,3}3[Dd])[^/&;]*"
)

# e-mail addresses, UUIDs and the visitor keys that contain one, long runs as tokens have them, sessions, encoded
# addresses, IP addresses, long numbers
PERSONAL = (
    f"{_IN_URL}*{AT}{_IN_URL}*",
    f"([0-9]+_)?{_UUID}(-[0-9A-Za-z]+){{0,4}}",
    r"[A-Za-z0-9_]{24,}",
    _SESSION,
    _BASE64,
    _HEX,
    _IPV4,
    _IPV6,
    r"[0-9][0-9 ().+-]{6,}[0-9]",
)
_PERSONAL = "|".join(PERSONAL)
_CODED_ADDRESS = f"{_IN_URL}*({_SIGN}){_IN_URL}*"
_MATRIX = (
    r"(;|%(25){0,3}3[Bb])[^/]*"  # parameters of a path segment: sessions and users, where servers put any
)

# A host that is an address of the network, or has one in its name, or a UUID, long hex or a long number, or is what
# stood before an @.
_NETWORK = (
    r"^(\[|%)[^/]*|^[0-9.]+$|^(0[Xx][0-9A-Fa-f]+|[0-9]+)([.](0[Xx][0-9A-Fa-f]+|[0-9]+)){0,3}[.]?$"
    f"|[^/]*({AT}|[0-9]{{1,3}}(([.-]|%2[Ee])[0-9]{{1,3}}){{3}}|{_UUID}|[0-9A-Fa-f]{{24,}}|[0-9]{{10,}})[^/]*"
)

# An address within a text: what stands before and after the @ up to a blank or a bracket, with a dot behind.
_APART = ' \\t\\r\\n\u00a0@\uff20\ufe6b<>()\\[\\]{},;:"\\\\'
_LABEL = f"[^{_APART}/?=&|.!#%]{{1,63}}"
_DOT = f"([.\uff0e\u3002\uff61]|{_CODED}2[Ee]|{_BLANK}{_OPEN}{_BLANK}[Dd][Oo][Tt]{_BLANK}{_CLOSE}{_BLANK})"
_NUMERIC = r"\[[0-9A-Fa-f:.]{2,45}\]"  # a host by its number
ADDRESS = f'("[^"]{{1,100}}"|[^{_APART}]{{1,100}}){AT}({_LABEL}({_DOT}{_LABEL}){{1,8}}|{_NUMERIC})'

_AUTHORITY = r"^[a-zA-Z]+://([^/?#]*@)?"
_HOST = _AUTHORITY + r"(\[[^\]/?#]*\]|[^/:?#]+)"
_PATH = r"^[a-zA-Z]+://[^/?#]+(/[^?#]*)"

_AT_SIGNS = r"[@\uff20\ufe6b%(\[{<&\\]"  # every spelling of @ has one of these
_PLAIN_AT = "[@\uff20\ufe6b]"


def _utm(name: str) -> str:
    return rf"[?&#]utm_{name}=([^&#]*)"


# ---- as SQL text


def _literal(pattern: str) -> str:
    return "'" + pattern.replace("\\", "\\\\") + "'"


def _replaced(value: str, pattern: str, mask: str = MASK) -> str:
    return f"regexp_replace({value}, {_literal(pattern)}, '{mask}')"


def masked(value: str) -> str:
    """`value` with every personal-looking part replaced, cut to MAX_LENGTH characters; NULL for empty."""
    return f"nullif(substring({_replaced(_head(value), _PERSONAL)}, 1, {MAX_LENGTH}), '')"


def _head(value: str) -> str:
    return f"substring({value}, 1, {_MOST_READ})"


def host(url: str) -> str:
    """The host of `url`, in lower case, without user or port, masked if it is an address; NULL if there is none."""
    extracted = _head(f"lower(regexp_extract({url}, {_literal(_HOST)}, 2))")
    return f"nullif({_replaced(extracted, _NETWORK)}, '')"


def path(url: str) -> str:
    """The masked path of `url`; NULL if there is none."""
    extracted = f"regexp_extract({url}, {_literal(_PATH)}, 1)"
    return masked(_replaced(_head(extracted), _MATRIX, f";{MASK}"))


def utm(url: str, name: str) -> str:
    """The masked value of `utm_<name>` in `url`, in its query or behind its `#`; NULL if there is none."""
    extracted = f"regexp_extract({url}, {_literal(_utm(name))}, 1)"
    whole = _replaced(_head(extracted), _CODED_ADDRESS)  # first: in an address a + is no blank
    value = masked(f"trim(replace(replace({whole}, '+', ' '), '%20', ' '))")
    # Most addresses have none, and the patterns are slow.
    return f"case when instr({url}, 'utm_{name}=') > 0 then {value} end"


def name(value: str) -> str:
    """A title or another text that names something, with the addresses in it masked."""
    # An engine takes longer to read the pattern than to search a thousand titles, and few have what looks like an @.
    return f"case when {value} rlike {_literal(_AT_SIGNS)} then {_replaced(value, ADDRESS)} else {value} end"


def word(value: str) -> str:
    """What no person has typed, and names nobody: masked whole if it has an @."""
    return f"case when {value} rlike '{_PLAIN_AT}' then '{MASK}' else {value} end"


def link(value: str) -> str:
    """An address of Wistia's: NULL if it has an @, encoded or not."""
    return f"case when {value} rlike '{_PLAIN_AT}|{_CODED}40' then null else {value} end"


def of(kind: str, value: str) -> str:
    """What a mask leaves of a `text`, a `word` or a `link`, of the `host` of a page, or of its `path`; NULL for
    nothing."""
    match kind:
        case "host":
            return host(f"concat('https://', {value})")
        case "path":
            return path(f"concat('https://host', case when {value} like '/%' then '' else '/' end, {value})")
        case "word":
            return word(value)
        case "link":
            return link(value)
    return masked(value)


# ---- the same in Python


def plain_masked(value: str) -> str | None:
    """As `masked`."""
    return re.sub(_PERSONAL, MASK, value[:_MOST_READ])[:MAX_LENGTH] or None


def plain_of(kind: str, value: str) -> str | None:
    """As `of`."""
    match kind:
        case "host":
            return plain_host(f"https://{value}")
        case "path":
            return plain_path(f"https://host{'' if value.startswith('/') else '/'}{value}")
        case "word":
            return MASK if re.search(_PLAIN_AT, value) else value
        case "link":
            return None if re.search(f"{_PLAIN_AT}|{_CODED}40", value) else value
    return plain_masked(value)


def plain_host(url: str) -> str | None:
    """As `host`."""
    return re.sub(_NETWORK, MASK, _extract(_HOST, url, 2).lower()[:_MOST_READ]) or None


def plain_path(url: str) -> str | None:
    """As `path`."""
    return plain_masked(re.sub(_MATRIX, f";{MASK}", _extract(_PATH, url, 1)[:_MOST_READ]))


def plain_utm(url: str, name: str) -> str | None:
    """As `utm`."""
    value = re.sub(_CODED_ADDRESS, MASK, _extract(_utm(name), url, 1)[:_MOST_READ])
    return plain_masked(value.replace("+", " ").replace("%20", " ").strip(" "))


def plain_name(value: str) -> str:
    """As `name`."""
    return re.sub(ADDRESS, MASK, value)


def _extract(pattern: str, text: str, group: int) -> str:
    match = re.search(pattern, text)
    return match[group] if match else ""
