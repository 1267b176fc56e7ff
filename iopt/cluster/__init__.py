"""The devices and the network between them."""

from iopt.cluster.devices import Cluster, Device
from iopt.cluster.network import Charge, Link, LinkRate, Medium, Network

__all__ = ["Charge", "Cluster", "Device", "Link", "LinkRate", "Medium", "Network"]
