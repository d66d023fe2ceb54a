"""``python -m vedette``: the same as the command ``vedette``."""

from __future__ import annotations

import sys

from vedette._cli import main

sys.exit(main())
