"""Python's garbage collector, set for batches."""

from __future__ import annotations

import gc

YOUNG = 500_000
"""Objects made, less those gone, before the collector looks at them: more than all but the largest batches have at once.
With 50,000 it still took 3 % of a first load; memory is the same with either."""


def relax_collector() -> None:
    """For the start of a process that runs workers.

    A batch makes many objects that end with it and hold no cycles. As it comes (700 objects), the collector looks through
    them again and again in the midst of the batch, which takes 7 % of a worker's time.
    """
    gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
