"""An exported program from a `.pt2` file."""

from __future__ import annotations

from pathlib import Path

import torch
from torch.export import ExportedProgram

from iopt.door.reason import reason
from iopt.errors import ModelError
from iopt.graph import Graph
from iopt.importer.program import import_program
from iopt.importer.quiet import prints_aside, quiet


def import_archive(path: Path) -> Graph:
    """The graph of a program that `torch.export.save` wrote, named after the file. Raises `ModelError`.

    Reading the file can run code that is hidden in it: for files from people you trust only.
    """
    return import_program(read_archive(path), path.stem)


def read_archive(path: Path) -> ExportedProgram:
    """The program itself; the same holds."""
    try:
        with prints_aside(), quiet():
            return torch.export.load(path)
    except Exception as error:
        raise ModelError(f"{path} is no exported program (torch.export.save writes one): {reason(error)}") from error
