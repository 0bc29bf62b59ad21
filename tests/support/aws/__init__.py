"""AWS without AWS: an emulator on this machine, the real templates deployed into it, and days that pass.

- `emulator/`: the emulator's process: ministack with the hooks that it lacks. Runs in an environment of its own.
- `glue_runner.py`: what Glue is to the emulator: one Spark that runs the deployed script, job after job.
- `tools.py`: the environments below `.tools`, built by `make`.
- `cloud.py`: `Cloud`, one emulated account with both stacks deployed and a simulated Wistia beside it.
"""
