"""What was measured of a host, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopt.graph import Graph
from iopt.report.console import print_table
from iopt.report.style import table
from iopt.report.tiling_summary import ENOUGH
from iopt.report.tiling_units import memory
from iopt.report.units import milliseconds, percent
from iopt.tiling.files import Host
from iopt.tiling.files.host_file import Machine
from iopt.tiling.layers import layers_of

if TYPE_CHECKING:
    from rich.console import Console


def print_host(console: Console, graph: Graph, host: Host) -> None:
    """Per layer the time of its whole output, and per output cell there and in the smallest tile."""
    console.print(f"{host.network}: times of {len(host.model.layers)} layers", style="bold")
    if host.measured is not None:
        measured = host.measured
        console.print(
            f"{measured.machine}, {measured.threads} threads, PyTorch {measured.torch}, executor {measured.executor}"
        )
    grid = table()
    grid.add_column("layer", no_wrap=True)
    for name in ("whole ms", "ns a cell", "smallest tile", "ns a cell there"):
        grid.add_column(name, justify="right", no_wrap=True)
    for layer, times in zip(layers_of(graph), host.model.layers, strict=True):
        (least, quick), (most, slow) = (times.cells[0], times.seconds[0]), (times.cells[-1], times.seconds[-1])
        smallest = [f"{least:,.0f} cells", f"{1e9 * quick / least:,.1f}"] if least < most else ["-", "-"]
        grid.add_row(layer.name, milliseconds(slow), f"{1e9 * slow / most:,.1f}", *smallest)
    print_table(console, grid)
    model = host.model
    besides = f"besides {model.call_s * 1e6:.1f} us a call, {model.tile_s * 1e6:.1f} us a tile"
    console.print(f"{besides} and {model.copy_s * 2**20 * 1e6:.1f} us a MiB that tiles copy")
    if host.bias_bytes is not None:
        console.print(f"bias of the predictor mafat {memory(host.bias_bytes)}")
    if host.measured is not None:
        console.print(f"fitted to {host.measured.fitted} configurations; {_judged(host.measured)}")
        if host.measured.fitted < ENOUGH:
            console.print("few configurations were run: with 16 or more, four or more judge", style="yellow")


def _judged(measured: Machine) -> str:
    if measured.median_error is None or measured.worst_error is None:
        return "not judged: there were no others"
    off = f"{percent(measured.median_error)}, {percent(measured.worst_error)} at most"
    return f"latency of others is off by a median of {off}"
