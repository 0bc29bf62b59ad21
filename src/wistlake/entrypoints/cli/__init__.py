"""The command line. Each command parses, wires, calls one function and prints."""
