"""A run in four steps, each a process of its own, that hand on what they know as documents in the lake.

    plan ─▶ ingest, media by media, in rounds ─▶ build ─▶ publish

`wistlake.pipeline.run.driver` does the same in one process. What lies below `runs/<run_id>/`, and nothing else,
goes from step to step; the ledger says what is done. Only `publish` moves what readers see.
"""
