"""What other code says while a network is read: what torch.export tells its own developers is kept off the terminal
(errors come back as exceptions anyway), and what users' code prints goes to standard error."""

from __future__ import annotations

import io
import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout


@contextmanager
def prints_aside() -> Iterator[None]:
    """Standard output is for data: what is printed meanwhile goes to standard error, also within `quiet`."""
    with redirect_stdout(sys.stderr):
        yield


@contextmanager
def quiet() -> Iterator[None]:
    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        with warnings.catch_warnings(), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
