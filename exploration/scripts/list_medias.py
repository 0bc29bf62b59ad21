"""Page through the account's media, and keep each page as a sample. The same as `wistlake explore medias`."""

import sys

from wistlake.entrypoints.cli.main import main

if __name__ == "__main__":
    main(["explore", "medias", *sys.argv[1:]])
