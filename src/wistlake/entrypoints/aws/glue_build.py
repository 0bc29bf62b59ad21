"""Glue script: builds what is pending and writes the verdicts down."""

import sys


def main(argv: list[str]) -> None:
    """See the package's docstring for the arguments."""
    raise NotImplementedError


if __name__ == "__main__":
    main(sys.argv)
