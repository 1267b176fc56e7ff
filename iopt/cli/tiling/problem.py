"""What `plan`, `evaluate`, `compare` and `front` are given, as a problem."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from iopt.cli import options as common
from iopt.cli.tiling import options

if TYPE_CHECKING:
    from iopt.graph import Graph
    from iopt.tiling.files import Host
    from iopt.tiling.problem import Problem


@dataclass(frozen=True)
class Given:
    """The options as they were typed."""

    model: common.ModelArgument
    memory: options.MemoryOption = None
    objective: options.ObjectiveOption = None
    overhead: options.OverheadOption = None
    predictor: options.PredictorOption = options.Predictor.LEAN
    bias: options.BiasOption = None
    weights: options.WeightsOption = options.Weights.RESIDENT
    backend: options.BackendOption = options.Backend.IMPLICIT
    grid: options.GridOption = options.Grid.BALANCED
    crop: options.CropOption = options.Crop.EXACT
    max_tiles: options.MaxTilesOption = 8
    reuse: options.ReuseOption = True
    host: options.HostOption = None
    input: common.InputOption = None
    trust: common.TrustOption = False

    def problem(self) -> Problem:
        """Read the network, then the host. Raises `IoptError`."""
        return self.problem_and_host()[0]

    def problem_and_host(self) -> tuple[Problem, Host | None]:
        """The host as it was measured, None without --host. Raises `IoptError`."""
        from iopt.cli.problem import read_graph
        from iopt.tiling.problem import Problem

        memory_bytes = _limit(self.memory)
        self._check_objective()
        graph = read_graph(self.model, self.input, self.trust)
        host = self._host(graph)
        objective = self.objective or (options.Objective.MACS if self.overhead is None else options.Objective.MEMORY)
        problem = Problem(
            graph=graph,
            memory_bytes=memory_bytes,
            objective=objective.value,
            overhead=self.overhead,
            predictor=self.predictor.value,
            bias_bytes=self._bias_bytes(host),
            weights=self.weights.value,
            backend=self.backend.value,
            grid=self.grid.value,
            crop=self.crop.value,
            max_tiles=self.max_tiles,
            reuse=self.reuse,
            host=None if host is None else host.model,
        )
        return problem, host

    def read_files(self) -> dict[str, str]:
        """What is read from disk, by what names it: nothing may be written over it."""
        from iopt.zoo import ENTRIES

        files = {} if self.model in ENTRIES else {"MODEL": self.model}
        return files if self.host is None else {**files, "--host": str(self.host)}

    def _check_objective(self) -> None:
        from iopt.errors import OptionError

        if self.objective is options.Objective.LATENCY and self.host is None:
            raise OptionError("missing option '--host'; expected a file of `iopt tile profile -o` for the latency")

    def _host(self, graph: Graph) -> Host | None:
        if self.host is None:
            return None
        from iopt.errors import OptionError
        from iopt.tiling.files import load_host
        from iopt.tiling.predictors import copier

        host, executor = load_host(self.host, graph), copier(self.predictor.value)
        if host.measured is not None and host.measured.executor != executor:
            timed, predictor = host.measured.executor, self.predictor.value
            raise OptionError(
                f"{self.host}: times of the executor {timed!r}; the predictor {predictor!r} "
                f"goes with times of {executor!r}, by `iopt tile profile --executor {executor}`"
            )
        return host

    def _bias_bytes(self, host: Host | None) -> int | None:
        """As typed, or the host's for the predictor that needs one."""
        from iopt.errors import OptionError

        if self.bias is not None:
            return _bytes("--bias", self.bias)
        if self.predictor is not options.Predictor.MAFAT:
            return None
        if host is None or host.bias_bytes is None:
            raise OptionError("missing option '--bias'; expected a size such as '31 MiB': mafat's is a host's")
        return host.bias_bytes


def _limit(text: str | None) -> int | None:
    return None if text is None or text.strip().lower() == "none" else _bytes("--memory", text)


def _bytes(option: str, text: str) -> int:
    """Whole bytes; a limit is above zero. Raises `OptionError` that names the option."""
    from iopt.cli.problem import quantity
    from iopt.door.units import SIZE

    return int(quantity(option, text, SIZE if option == "--memory" else replace(SIZE, lowest="0 B")))
