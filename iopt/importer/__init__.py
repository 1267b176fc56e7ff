"""From a `torch.nn.Module` to a `Graph`, by torch.export. What iopt does not know is refused by name, never dropped."""

from __future__ import annotations

from iopt.importer.export import import_module
from iopt.importer.program import import_program

__all__ = ["import_module", "import_program"]
