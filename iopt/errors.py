"""What can go wrong, as one family: the command line prints any of these in one line and exits with `exit_code`."""


class IoptError(Exception):
    """Base of every error that iopt raises on purpose."""

    exit_code = 2


class ModelError(IoptError):
    """A network that cannot be read, imported or represented."""


class UnsupportedOperatorError(ModelError):
    """A network holds operators that iopt does not know; the message lists each with its count."""


class ClusterError(IoptError):
    """A device description that is malformed; the message names file, key and what was expected."""


class PlanError(IoptError):
    """A plan that does not fit its problem, or a plan file that is malformed or was changed by hand."""


class ContradictionError(IoptError):
    """Two things were proved that cannot both be true: a bug, never an answer."""

    exit_code = 1


class OptionError(IoptError):
    """An option with a value that makes no sense (unknown method, time limit of zero, ...)."""


class RunError(IoptError):
    """A run that failed on the way: a device that was lost, or that waited in vain for another."""

    exit_code = 5


class DeviceLostError(RunError):
    """Processes that ended or do not answer; `devices` are the names of those that they played."""

    def __init__(self, message: str, devices: tuple[str, ...]) -> None:
        super().__init__(message)
        self.devices = devices
