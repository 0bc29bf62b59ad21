"""Sample the account's visitors; Wistia has none by media. The same as `wistlake explore visitors`."""

import sys

from wistlake.entrypoints.cli.main import main

if __name__ == "__main__":
    main(["explore", "visitors", *sys.argv[1:]])
