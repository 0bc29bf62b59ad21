"""One module a table: frames in, one frame out. No session, no I/O, no clock inside."""
