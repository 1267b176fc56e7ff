"""The devices and the network between them."""

from iopt.cluster.devices import Charge, Cluster, Device, Medium, Network

__all__ = ["Charge", "Cluster", "Device", "Medium", "Network"]
