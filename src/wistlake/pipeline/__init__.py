"""The order of work: plan, ingest, build, publish. It says "then"; it computes nothing."""
