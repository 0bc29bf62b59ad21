"""Find the timestamp by which each list could be read incrementally. The same as `wistlake explore incremental`."""

import sys

from wistlake.entrypoints.cli.main import main

if __name__ == "__main__":
    main(["explore", "incremental", *sys.argv[1:]])
