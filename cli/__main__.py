"""`python -m tocsin.cli` is `tocsin`."""

from __future__ import annotations

import sys

from . import main

sys.exit(main())
