"""Parse, wire, call, translate."""
