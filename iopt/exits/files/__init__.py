"""Files of exits: profiles of early-exit networks, workloads, and placements held to their claims."""

from iopt.exits.files.claims import check, load
from iopt.exits.files.placement_file import PlacementFile, from_data, read, save, to_dict
from iopt.exits.files.profile_file import load_profile, profile_names, profile_presets, save_profile
from iopt.exits.files.workload_file import Workload, load_workload

__all__ = [
    "PlacementFile",
    "Workload",
    "check",
    "from_data",
    "load",
    "load_profile",
    "load_workload",
    "profile_names",
    "profile_presets",
    "read",
    "save",
    "save_profile",
    "to_dict",
]
