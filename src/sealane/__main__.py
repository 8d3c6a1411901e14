"""`python -m sealane`."""

import sys

from sealane.cli.main import main

sys.exit(main())
