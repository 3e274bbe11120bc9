"""Brian2 imported without its traces: no changed hooks, no log files, no warnings that are not the user's to mend."""

import logging
import signal
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np


@contextmanager
def _process_unchanged() -> Iterator[None]:
    """Undo what the first import of brian2 does to the process: its hooks for exceptions, Ctrl+C and warnings."""
    hook, interrupt, arguments, captured = sys.excepthook, signal.getsignal(signal.SIGINT), sys.argv[:], _captures()
    sys.argv[:1] = [""]  # brian2 would copy the running script to the temporary folder
    try:
        yield
    finally:
        sys.argv[:] = arguments
        sys.excepthook = hook
        signal.signal(signal.SIGINT, interrupt)
        logging.captureWarnings(captured)


def _captures() -> bool:
    return getattr(logging, "_warnings_showwarning", None) is not None


@contextmanager
def quiet() -> Iterator[None]:
    """Silence what is not the user's to mend.

    Brian2 calls pyparsing and numpy by old names; and far below half release the exponential overflows to infinity,
    which makes the release 0, as it should be.
    """
    with warnings.catch_warnings(), np.errstate(over="ignore"):
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def _import_brian2() -> Any:
    """Import brian2 quietly; where the user has imported it already, leave it as it is."""
    if "brian2" in sys.modules:
        return sys.modules["brian2"]
    with _process_unchanged(), quiet():
        import brian2
    logger = brian2.BrianLogger
    if logger.tmp_log is not None:  # a debug log in the temporary folder, open until the process ends
        logging.getLogger("brian2").removeHandler(logger.file_handler)
        logger.file_handler.close()
        Path(logger.tmp_log).unlink(missing_ok=True)
        logger.tmp_log = logger.file_handler = None
        logging.getLogger("brian2").setLevel(logging.INFO)  # nobody reads the debug messages that went to it
    return brian2


brian2 = _import_brian2()
numpy_target = brian2.codegen.runtime.numpy_rt.NumpyCodeObject
