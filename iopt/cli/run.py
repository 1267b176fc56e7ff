"""From arguments to an exit code: every error becomes one line on standard error, never a traceback."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence

import typer

from iopt.cli.app import app
from iopt.cli.codes import Exit
from iopt.cli.talk import complain
from iopt.errors import IoptError

DEBUG = "--debug"
BY_SIGNAL = [128 + signal.SIGTERM, *([128 + signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
"""What a run that is asked to end says, once it has cleaned up."""


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code. `--debug` anywhere lets exceptions through, with their traceback."""
    words = [word for word in arguments if word != DEBUG]
    if len(words) < len(arguments):
        return _invoke(words)
    try:
        return _invoke(words)
    except IoptError as error:
        complain(str(error))
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        complain("interrupted")
        return Exit.INTERRUPTED
    except (BrokenPipeError, SystemExit) as error:  # `iopt show plan.json | head`: typer and rich make it a SystemExit
        if isinstance(error, SystemExit) and error.code in BY_SIGNAL:
            return int(error.code)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.BROKEN_PIPE
    except OSError as error:
        complain(f"the operating system refuses: {error}")
        return Exit.BAD_INPUT
    except Exception as error:
        complain(f"this is a bug in iopt: {type(error).__name__}: {error} (run it with {DEBUG} for the traceback)")
        return Exit.BUG


def _invoke(words: Sequence[str]) -> int:
    command = typer.main.get_command(app)
    try:
        code = command.main(args=list(words) or ["--help"], prog_name="iopt", standalone_mode=False)
        sys.stdout.flush()
    except Exception as error:
        if not hasattr(error, "format_message"):
            raise
        return _misused(error)
    if code == Exit.INTERRUPTED:  # newer versions of typer return it, older ones raise
        raise KeyboardInterrupt
    return int(code or Exit.OK)


def _misused(error: Exception) -> int:
    """A usage error: the class differs between versions of typer, its methods do not."""
    message: str = error.format_message().replace("Value error, ", "")  # type: ignore[attr-defined]
    context = getattr(error, "ctx", None)
    path = "iopt" if context is None else context.command_path
    complain(f"{message.rstrip('.')} (try '{path} --help')")
    return Exit.BAD_INPUT
