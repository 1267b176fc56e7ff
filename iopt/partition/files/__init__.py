"""Plan files: written by `save`, read and held to their claims by `load`. The format is `docs/plan-file.md`."""

from iopt.partition.files.claims import check, load
from iopt.partition.files.plan_file import PlanFile, from_data, read, save, to_dict

__all__ = ["PlanFile", "check", "from_data", "load", "read", "save", "to_dict"]
