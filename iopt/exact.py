"""From arrays, or a Pyomo model, to HiGHS and back: the one place that knows the solver.

Pyomo compiles a model to arrays once; highspy takes them. So incumbents can be handed over whole, progress comes from
the solver's own callbacks, and there is no second model to keep.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import highspy
import numpy as np
import pyomo.environ as pyo
from numpy.typing import NDArray
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler

Values = NDArray[np.float64]
Fixings = Iterable[tuple[Any, float]]
"""Pairs of a Pyomo variable and the value that it is to have."""

TOLERANCE = 1e-9
"""Absolute feasibility and integrality tolerance; models are scaled so that it is far below anything that matters."""

LARGE = 5_000
"""Columns from which the first relaxation is solved by interior point: three times as fast there, slower on small
models."""


@dataclass(frozen=True)
class Solution:
    """In the units of the model. `objective` and `values` (per column) are None without a solution; `bound` is -inf
    without one, inf where there is no solution."""

    is_infeasible: bool
    objective: float | None
    bound: float
    values: Values | None
    was_interrupted: bool
    runtime_s: float


OnBound = Callable[[float, float, float], None]
"""Called with seconds, incumbent (inf: none) and bound while the solver runs."""

Enough = Callable[[float, float], bool]
"""Of incumbent (inf: none) and bound: whether the solver may stop."""


def _never(incumbent: float, bound: float) -> bool:
    return False


Data = TypeVar("Data")


def built(build: Callable[[Data], pyo.ConcreteModel], data: Data) -> pyo.ConcreteModel:
    """The model of a formulation. What ends its construction is raised; Pyomo would also log it, as its own error."""
    logger = logging.getLogger("pyomo")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        return build(data)
    finally:
        logger.setLevel(level)


class Program:
    """Arrays in HiGHS, minimised: `costs` [columns], `matrix` (sparse, rows x columns) between `lower` and `upper`
    [rows], columns between `least` and `most`; `whole` says which columns are integers."""

    def __init__(
        self,
        costs: Values,
        matrix: Any,
        lower: Values,
        upper: Values,
        least: Values,
        most: Values,
        whole: NDArray[np.bool_],
        offset: float = 0.0,
        threads: int = 1,
    ) -> None:
        lp = highspy.HighsLp()
        lp.num_row_, lp.num_col_ = matrix.shape
        lp.col_cost_, lp.offset_ = costs, offset
        lp.col_lower_, lp.col_upper_, lp.row_lower_, lp.row_upper_ = least, most, lower, upper
        columns = matrix.tocsc()
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = columns.indptr, columns.indices, columns.data
        kinds = highspy.HighsVarType
        lp.integrality_ = [kinds.kInteger if is_whole else kinds.kContinuous for is_whole in whole]
        self._costs, self._offset = np.array(costs), offset
        self._highs = _silent()
        self._highs.passModel(lp)
        self._highs.setOptionValue("threads", threads)
        if self.is_large:
            self._highs.setOptionValue("mip_lp_solver", "ipm")

    @property
    def is_large(self) -> bool:
        """Its first relaxation takes seconds."""
        return self.size[0] > LARGE

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows."""
        return self._highs.getNumCol(), self._highs.getNumRow()

    def relaxation(self) -> float:
        """Optimum of the linear relaxation; inf if it is infeasible."""
        highs = self._copy()
        highs.setOptionValue("solve_relaxation", True)
        highs.run()
        if highs.getModelStatus() == highspy.HighsModelStatus.kInfeasible:
            return float("inf")
        return float(highs.getInfo().objective_function_value)

    def solve(
        self,
        time_limit_s: float = float("inf"),
        gap: float = 0.0,
        start: Values | None = None,
        on_bound: OnBound | None = None,
        presolve: bool = True,
        enough: Enough = _never,
    ) -> Solution:
        """Minimise. `gap` is relative; `start` a whole solution, which becomes the first incumbent. Without `presolve`
        it is slower, and safe from what presolve gets wrong. `enough` may end it early."""
        highs, began = self._highs, time.perf_counter()
        highs.setOptionValue("presolve", "choose" if presolve else "off")
        highs.setOptionValue("time_limit", max(time_limit_s, 1e-3))
        highs.setOptionValue("mip_rel_gap", gap)
        if start is not None:
            highs.setSolution(_solution(start))
        improved: list[Values] = []
        highs.cbMipImprovingSolution += lambda event: improved.append(np.array(event.data_out.mip_solution))
        if on_bound is not None:

            def report(event: Any) -> None:
                data = event.data_out
                on_bound(time.perf_counter() - began, data.mip_primal_bound, data.mip_dual_bound)

            highs.cbMipLogging += report
        interrupted = _run(highs, enough)
        highs.clearCallbacks()  # type: ignore[no-untyped-call]  # highspy's own
        return self._outcome(improved[-1] if improved else start, interrupted, time.perf_counter() - began)

    def _outcome(self, known: Values | None, interrupted: bool, runtime_s: float) -> Solution:
        """What came out; an interrupted solver has forgotten its incumbent, `known` is the last that it reported."""
        highs = self._highs
        status, info = highs.getModelStatus(), highs.getInfo()
        found = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
        values = np.array(highs.getSolution().col_value) if found else known
        is_infeasible = status == highspy.HighsModelStatus.kInfeasible
        return Solution(
            is_infeasible,
            None if values is None else float(self._costs @ values + self._offset),
            float("inf") if is_infeasible else float(info.mip_dual_bound),
            values,
            interrupted,
            runtime_s,
        )

    def _copy(self) -> highspy.Highs:
        highs = _silent()
        highs.passModel(self._highs.getLp())
        return highs


class Solver(Program):
    """A Pyomo model (linear, minimised) in HiGHS."""

    def __init__(self, model: pyo.ConcreteModel, threads: int = 1) -> None:
        self.model = model
        form = LinearStandardFormCompiler().write(model, mixed_form=True)
        self._columns = form.columns
        self._index = {id(variable): index for index, variable in enumerate(form.columns)}
        bounds = [variable.bounds for variable in form.columns]
        kinds, rhs = np.array([row.bound_type for row in form.rows]), np.asarray(form.rhs, dtype=float)
        super().__init__(
            np.asarray(form.c.todense()).ravel(),
            form.A,
            np.where(kinds == 1, -np.inf, rhs),
            np.where(kinds == -1, np.inf, rhs),
            np.array([-np.inf if lower is None else lower for lower, _ in bounds]),
            np.array([np.inf if upper is None else upper for _, upper in bounds]),
            np.array([not variable.is_continuous() for variable in form.columns]),
            float(form.c_offset[0]),
            threads,
        )

    def completed(self, fixings: Fixings, time_limit_s: float = 10.0) -> Values | None:
        """The best solution with some variables fixed; None if there is none (or none was found in time). Raises
        `KeyboardInterrupt`."""
        highs = self._copy()
        for variable, value in fixings:
            if id(variable) in self._index:
                highs.changeColBounds(self._index[id(variable)], float(value), float(value))
        highs.setOptionValue("time_limit", max(time_limit_s, 1e-3))
        highs.setOptionValue("mip_rel_gap", 0.0)
        if _run(highs):
            raise KeyboardInterrupt
        if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        return np.array(highs.getSolution().col_value)

    def load(self, values: Values) -> None:
        """Give the model's variables these values."""
        for variable, value in zip(self._columns, values, strict=True):
            variable.set_value(
                round(value) if variable.is_integer() or variable.is_binary() else value, skip_validation=True
            )


def _run(highs: highspy.Highs, enough: Enough = _never) -> bool:
    """Run in a thread of its own: an interrupt from the keyboard ends the solve, keeping what it found; True if so.
    What is `enough` ends it likewise."""
    stop, done = threading.Event(), threading.Event()

    def interrupt(event: Any) -> None:
        if stop.is_set():
            event.interrupt()

    def judge(event: Any) -> None:
        if enough(event.data_out.mip_primal_bound, event.data_out.mip_dual_bound):
            event.interrupt()

    def work() -> None:
        try:
            highs.run()
        finally:
            done.set()

    for interrupts in (highs.cbMipInterrupt, highs.cbSimplexInterrupt, highs.cbIpmInterrupt):
        interrupts += interrupt
    highs.cbMipInterrupt += judge
    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    while not done.is_set():
        try:
            done.wait(0.1)
        except KeyboardInterrupt:
            stop.set()
    worker.join()
    return stop.is_set()


def _silent() -> highspy.Highs:
    highs = highspy.Highs()  # type: ignore[no-untyped-call]  # highspy's own
    highs.setOptionValue("log_to_console", False)
    for name in ("primal_feasibility_tolerance", "dual_feasibility_tolerance", "mip_feasibility_tolerance"):
        highs.setOptionValue(name, TOLERANCE)
    highs.setOptionValue("mip_abs_gap", 0.0)
    highs.setOptionValue("mip_min_logging_interval", 1.0)
    return highs


def _solution(values: Values) -> highspy.HighsSolution:
    solution = highspy.HighsSolution()
    solution.col_value = list(values)
    solution.value_valid = True
    return solution
