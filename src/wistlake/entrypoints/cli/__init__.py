"""The command line. A command parses its options, gets the lake from `session`, calls one function, and prints.

Commands import what they call inside their functions, so that `wistlake --help`, shell completion and usage errors
load neither settings nor contracts nor an engine: `main` imports every module of this package.
"""
