"""One day's run, in order: spec, select, recover, ingest, pending, build, publish, result."""
