"""Hosts on a switch, as network namespaces of this machine joined by virtual cables: Linux, as root. All of them, and
the switch, are removed in the end, however it comes; `left` says which could not be."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from experiments.cgroups import Unavailable
from experiments.interrupts import interruptible, shielded

PREFIX = "iopt-runtime"
MINE = re.compile(rf"{PREFIX}-([0-9]+)-([0-9]+|switch)")
"""Names that this makes, with the process that does: no other namespace is touched."""
BURST_BYTES, QUEUE = 5000, "50ms"
"""What passes a link at once, and how long packets wait at most."""


def refusal() -> str | None:
    """Why this cannot run here, or None."""
    if not sys.platform.startswith("linux"):
        return "it needs Linux"
    if os.geteuid() != 0:
        return "it needs root, to make network namespaces"
    missing = [name for name in ("ip", "tc") if shutil.which(name) is None]
    return f"there is no {' and no '.join(missing)}; install iproute2" if missing else None


@contextmanager
def switched_hosts(count: int, bits_per_s: int) -> Iterator[list[str]]:
    """Namespaces with the addresses 10.77.0.1, ... on `eth0`, whose links carry so much each way.

    An interrupt or a request to end (SIGTERM, SIGHUP) becomes `KeyboardInterrupt` meanwhile, so that what follows the
    context is done. Raises `Unavailable` where they cannot be made.
    """
    remove_left_over()
    hosts = [f"{PREFIX}-{os.getpid()}-{number}" for number in range(count)]
    switch = f"{PREFIX}-{os.getpid()}-switch"
    made: list[str] = []
    with interruptible():
        try:
            for name in (switch, *hosts):
                with shielded():  # one that is made is known to be
                    _run("ip", "netns", "add", name)
                    made.append(name)
            _run("ip", "-n", switch, "link", "add", "br0", "type", "bridge")
            _run("ip", "-n", switch, "link", "set", "br0", "up")
            for number, host in enumerate(hosts):
                _plug_in(host, number, switch, bits_per_s)
            yield hosts
        finally:
            with shielded():
                _remove(made)


def inside(host: str, command: Sequence[str], variables: dict[str, str]) -> subprocess.Popen[str]:
    """A process in a namespace; its output is text to be read."""
    environment = {**os.environ, **variables}
    words = ["ip", "netns", "exec", host, *command]
    return subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def left() -> list[str]:
    """Namespaces of this process that are there."""
    return [name for name, process in _found() if process == os.getpid()]


def what_is_left() -> str:
    found = left()
    return f"{' and '.join(found)} cannot be removed" if found else "the namespaces are gone"


def remove_left_over() -> None:
    """Namespaces of this experiment that was killed: their names say by which process they were made."""
    _remove([name for name, process in _found() if not Path("/proc", str(process)).exists()])


def _found() -> Iterator[tuple[str, int]]:
    """Namespaces of this experiment, and the processes that made them."""
    for line in _run("ip", "netns", "list").splitlines():
        if match := MINE.fullmatch(line.split(" (id: ")[0].strip()):
            yield match[0], int(match[1])


def _plug_in(host: str, number: int, switch: str, bits_per_s: int) -> None:
    port = f"port{number}"
    _run("ip", "link", "add", "name", "eth0", "netns", host, "type", "veth", "peer", "name", port, "netns", switch)
    _run("ip", "-n", switch, "link", "set", port, "master", "br0", "up")
    _run("ip", "-n", host, "addr", "add", f"10.77.0.{number + 1}/24", "dev", "eth0")
    for name in ("lo", "eth0"):
        _run("ip", "-n", host, "link", "set", name, "up")
    for where, name in ((host, "eth0"), (switch, port)):
        shape = ("rate", f"{bits_per_s}bit", "burst", str(BURST_BYTES), "latency", QUEUE)
        _run("tc", "-n", where, "qdisc", "add", "dev", name, "root", "tbf", *shape)


def _remove(names: Sequence[str]) -> None:
    """Namespaces, with whatever runs in them; with the last process of one, its links go, too."""
    for name in names:
        found = subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True).stdout.split()
        for pid in found:
            try:
                os.kill(int(pid), signal.SIGKILL)
            except ProcessLookupError:
                continue
        subprocess.run(["ip", "netns", "del", name], capture_output=True)


def _run(*words: str) -> str:
    """What a program says. Raises `Unavailable` where it fails."""
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise Unavailable(f"{' '.join(words)}: {said}")
    return done.stdout
