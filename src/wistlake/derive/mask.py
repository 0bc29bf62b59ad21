"""What may stay of a page's address: host, path and utm values, with personal-looking parts cut out. SQL text.

The patterns use no look-around: they must mean the same to Java's and Rust's expression engines.
"""

MASK = "[masked]"
MAX_LENGTH = 200

# e-mail addresses (also percent-encoded, once or more often), long hex or base64-like runs, UUIDs, long numbers
PERSONAL = (
    r"[^/=&\\s]*(@|%(25)*40)[^/=&\\s]*",
    r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}",
    r"[A-Za-z0-9_]{24,}",
    r"[0-9][0-9 ().+-]{6,}[0-9]",
)


def masked(value: str) -> str:
    """`value` with every personal-looking part replaced, cut to MAX_LENGTH characters; NULL for empty."""
    for pattern in PERSONAL:
        value = f"regexp_replace({value}, '{pattern}', '{MASK}')"
    return f"nullif(substring({value}, 1, {MAX_LENGTH}), '')"


def host(url: str) -> str:
    """The host of `url`, in lower case, without user or port; NULL if there is none."""
    return f"nullif(lower(regexp_extract({url}, '^[a-zA-Z]+://([^/?#@]*@)?([^/:?#@]+)', 2)), '')"


def path(url: str) -> str:
    """The masked path of `url`; NULL if there is none."""
    return masked(f"regexp_extract({url}, '^[a-zA-Z]+://[^/?#]+(/[^?#]*)', 1)")


def utm(url: str, name: str) -> str:
    """The masked value of `utm_<name>` in the query of `url`; NULL if there is none."""
    found = f"regexp_extract({url}, '[?&]utm_{name}=([^&#]*)', 1)"
    return masked(f"trim(replace(replace({found}, '+', ' '), '%20', ' '))")
