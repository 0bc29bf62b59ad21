"""The harness that tests share: a simulated Wistia, a lake in a temporary folder, and runs in virtual time.

    lake = Lake(tmp_path / "lake", Scenario(profile=Profile(media=3), starts=datetime(2026, 3, 2, 2, 15, tzinfo=UTC)))
    result = lake.run_day(lake.scenario.starts)            # one whole run, in this process, without a network
    lake.run_days(10)                                      # ten of them, a day apart
    lake.rows("gold.fact_media_daily")                     # what readers see: published tables, through DuckDB
    lake.world.truth                                       # what is true, to compare with
    lake.truth().tables()                                  # every table as it should be, from that truth alone

- `lake.py`: `Scenario` (a value that can be sent to another process) and `Lake` (settings, parts, runs, readers).
- `compare.py`: rows as comparable values; lineage columns left out, doubles to a relative 1e-9.
- `processes.py`: a piece of work in a process of its own, with a time-out: for Spark, and for kill -9.
- `bronze_writer.py`: landings made by hand, for input that the simulator is too healthy to serve.
"""
