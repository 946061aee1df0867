"""Hand over to the command line."""

import sys

from mmbot.cli import main

sys.exit(main())
