"""Why a record was refused: each reason code in words, with its cure."""

_RULES = {
    "malformed_json": "The line is no JSON. Its landing is damaged: fetch the day again.",
    "bad_percent_viewed": "percent_viewed isn't a number from 0 to 1.",
    "wrong_media": "The record names another media than the one that was asked for.",
    "outside_window": "The record is of another day than the one that was asked for.",
    "negative_count": "A number that can only grow from zero is below it.",
    "bad_play_rate": "play_rate isn't a number from 0 to 1.",
    "bad_duration": "The duration is below zero.",
}


def meaning(code: str) -> str:
    """A reason code in words."""
    if code in _RULES:
        return _RULES[code]
    kind, _, column = code.partition("_")
    if kind == "missing":
        return f"{column} is absent or empty, and the contract requires it."
    if kind == "bad":
        return f"{column} is not of the type that the contract promises."
    return "A rule of the contract is broken."
