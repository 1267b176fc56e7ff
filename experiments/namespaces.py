"""Hosts on a switch, as network namespaces of this machine joined by virtual cables: Linux, as root. All of them, and
the switch, are gone in the end, however it comes."""

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
    context is done.
    """
    remove_left_over()
    hosts = [f"{PREFIX}-{os.getpid()}-{number}" for number in range(count)]
    switch = f"{PREFIX}-{os.getpid()}-switch"
    made: list[str] = []
    with interruptible():
        try:
            for name in (switch, *hosts):
                _ip("netns", "add", name)
                made.append(name)
            _ip("-n", switch, "link", "add", "br0", "type", "bridge")
            _ip("-n", switch, "link", "set", "br0", "up")
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


def remove_left_over() -> None:
    """Namespaces of this experiment that was killed: their names say by which process they were made."""
    lines = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout.splitlines()
    found = [MINE.fullmatch(line.split(" (id: ")[0].strip()) for line in lines]
    _remove([match[0] for match in found if match and not Path("/proc", match[1]).exists()])


def _plug_in(host: str, number: int, switch: str, bits_per_s: int) -> None:
    port = f"port{number}"
    _ip("link", "add", "name", "eth0", "netns", host, "type", "veth", "peer", "name", port, "netns", switch)
    _ip("-n", switch, "link", "set", port, "master", "br0", "up")
    _ip("-n", host, "addr", "add", f"10.77.0.{number + 1}/24", "dev", "eth0")
    for name in ("lo", "eth0"):
        _ip("-n", host, "link", "set", name, "up")
    for where, name in ((host, "eth0"), (switch, port)):
        shape = ("rate", f"{bits_per_s}bit", "burst", str(BURST_BYTES), "latency", QUEUE)
        subprocess.run(["tc", "-n", where, "qdisc", "add", "dev", name, "root", "tbf", *shape], check=True)


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


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)
