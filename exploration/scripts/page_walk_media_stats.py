"""Ask for pages of lifetime stats, and see that there are none. The same as `wistlake explore media-stats`."""

import sys

from wistlake.entrypoints.cli.main import main

if __name__ == "__main__":
    main(["explore", "media-stats", *sys.argv[1:]])
