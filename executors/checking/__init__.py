"""The contract of the executor port, as checks that any executor can be put to.

`tocsin executor check` runs them, and so do the tests of the in-tree executors. An executor's
package says by a `Specimen` which blocks make it do what the checks speak of. This module imports
light, so the module that holds an executor may import it.
"""

from __future__ import annotations

from .specimen import Block, Specimen

__all__ = ["Block", "Specimen"]
