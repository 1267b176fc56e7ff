"""Files of tiling: configurations held to their claims, and what was measured of a host."""

from iopt.tiling.files.claims import check, load
from iopt.tiling.files.configuration_file import ConfigurationFile, from_data, read, save, to_dict
from iopt.tiling.files.host_file import Host, load_host, save_host

__all__ = [
    "ConfigurationFile",
    "Host",
    "check",
    "from_data",
    "load",
    "load_host",
    "read",
    "save",
    "save_host",
    "to_dict",
]
