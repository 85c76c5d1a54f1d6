"""A progress bar in the job's log and, where there is one, on the terminal."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm


@contextmanager
def bar(name: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a progress bar.

    Args:
        name: Its label.
        total: Number of iterations in all.

    Yields:
        A function that takes the number of iterations done since its last call.
    """
    terminal = int(os.environ.get("TADPOOL_TERMINAL", -1))
    shown = terminal >= 0 and os.isatty(terminal)
    options = {"total": total, "desc": name, "unit": " iterations", "unit_scale": True}
    with (
        tqdm(file=sys.stderr, ascii=True, mininterval=5, **options) as log,
        open(terminal if shown else os.devnull, "w", closefd=not shown) as screen,
        tqdm(file=screen, leave=False, disable=not shown, **options) as on_screen,
    ):

        def advance(iterations: int) -> None:
            log.update(iterations)
            on_screen.update(iterations)

        yield advance
