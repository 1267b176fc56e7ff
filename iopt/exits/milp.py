"""The exact method for any number of applications: the MILP of `formulations/exits.py`, solved by HiGHS.

Before it is built, column generation finds a bound and its prices a plan, and steps that no better plan takes are taken
out: those that alone exceed a limit, those on no path within the latency limit, and those whose bound lies above the
best plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from formulations import exits as flow
from formulations import exits_plain as plain
from formulations.exits import exclude, paths
from formulations.exits_data import ExitsData
from iopt.door.given import as_tuple
from iopt.door.wording import shown
from iopt.errors import OptionError
from iopt.exact import TOLERANCE, Solver, built
from iopt.exits.evaluation import Evaluator
from iopt.exits.geometry import Geometry, geometry
from iopt.exits.heuristics.larac import larac
from iopt.exits.limits import Limits
from iopt.exits.milp_data import exits_data
from iopt.exits.paths import least_path, through
from iopt.exits.plan import Placement, Plan
from iopt.exits.problem import Problem
from iopt.exits.search.columns import Priced, generate
from iopt.exits.search.each import Path
from iopt.exits.search.pool import Pool
from iopt.exits.search.prices import at_prices
from iopt.exits.search.reroute import priced_start
from iopt.exits.search.routes import SLOPES, close
from iopt.incumbent import Incumbent
from iopt.result import ACCURACY, OnProgress, Result

FORMULATIONS = {"flow": flow.build, "plain": plain.build}

START_PART = 0.2
"""Of the time that is left, at most, for a plan at the prices of the columns."""

REFERENCE_PARTS = 100
"""The best plan known is so many units of the solver's energy."""


def solve_milp(
    problem: Problem,
    time_limit_s: float = np.inf,
    gap: float = 0.0,
    starts: Sequence[Plan] = (),
    on_progress: OnProgress | None = None,
    formulation: str = "flow",
    reduce: bool = True,
    spent_s: float = 0.0,
) -> Result[Plan]:
    """Least energy over every plan, with a proved bound.

    `gap`: relative gap at which to stop; `starts`: plans to start from; `formulation`: `flow`, or `plain` for the
    reference; `reduce`: False gives the solver every exit and every step; `spent_s`: seconds already spent on `starts`.
    Raises `OptionError`.
    """
    starts = as_tuple(starts, Plan, "starts", "[plan]")
    if not isinstance(formulation, str) or formulation not in FORMULATIONS:
        raise OptionError(f"formulation is {shown(formulation)}; expected {' or '.join(map(repr, FORMULATIONS))}")
    best = Incumbent[Plan](time_limit_s, on_progress, spent_s)
    return _Search(problem, gap, best).run(starts, formulation, reduce)


class _Search:
    """One solve: its judge, its best plan."""

    def __init__(self, problem: Problem, gap: float, best: Incumbent[Plan]) -> None:
        self.problem, self.gap, self.best = problem, gap, best
        self.judge = Evaluator(problem)

    def run(self, starts: Sequence[Plan], formulation: str, reduce: bool) -> Result[Plan]:
        for plan in starts:
            self._offer(plan)
        try:
            self._prove(formulation, reduce)
        except KeyboardInterrupt:
            self.best.was_interrupted = True
        return self.best.result("milp", self.gap)

    def _prove(self, formulation: str, reduce: bool) -> None:
        geometries = [
            geometry(self.problem, index, None if reduce else len(application.network.exits) - 1)
            for index, application in enumerate(self.problem.applications)
        ]
        if reduce:
            geometries = self._reduced(geometries)
        if not all(np.isfinite(shape.energy).any(axis=(1, 2)).all() for shape in geometries):
            self.best.prove(self.best.objective)
        elif self._is_open():
            self._solve(geometries, formulation, all_exits=not reduce)

    def _reduced(self, geometries: list[Geometry]) -> list[Geometry]:
        """Plans and a bound by column generation, and what is then left for the programme of steps."""
        limits, pool = self.judge.limits, Pool(geometries, self.judge.limits)
        if self.best.plan is not None:  # it may go on to a deeper exit than it has to
            pairs = zip(self.best.plan.placements, geometries, strict=True)
            pool.add([placement.nodes[: shape.depth] for placement, shape in pairs])
        priced = generate(pool, limits, self.best.objective, self.best.left_s)
        self.best.prove(min(priced.bound, self.best.objective))
        if np.isfinite(priced.bound) and self._is_open():
            self._start(pool, limits, priced.shared)
        if np.isfinite(priced.bound) and self._is_open():

            def found(paths: list[Path]) -> float:
                self._offer(_plan_of(geometries, paths))
                return self.best.objective

            self.best.prove(
                min(close(pool, limits, priced, self.best.objective, self.best.left_s, found), self.best.objective)
            )
            self.best.was_interrupted = pool.was_interrupted
        return worthwhile(geometries, limits, priced, self.best.objective)

    def _start(self, pool: Pool, limits: Limits, shared: Limits) -> None:
        """A whole plan early: from then on the gap is known, and only columns that may improve on it matter."""
        spare_s = (1 - START_PART) * self.best.left_s()
        paths = priced_start(pool.geometries, limits, shared, lambda: self.best.left_s() >= spare_s)
        placed = [path for path in paths if path is not None]
        if len(placed) == len(paths):
            pool.add(placed)
            self._offer(_plan_of(pool.geometries, placed))

    def _is_open(self) -> bool:
        """Something is left to prove, and time to do it."""
        return not self.best.is_closed(self.gap) and self.best.left_s() > 0 and not self.best.was_interrupted

    def _solve(self, geometries: Sequence[Geometry], formulation: str, all_exits: bool) -> None:
        reference = (
            self.best.objective if np.isfinite(self.best.objective) else _scale(geometries)
        ) / REFERENCE_PARTS or 1.0
        data = exits_data(self.problem, geometries, reference, all_exits)
        model = built(FORMULATIONS[formulation], data)
        while not self._is_done(model, data, geometries, reference, all_exits):
            exclude(model)

    def _is_done(
        self, model: object, data: ExitsData, geometries: Sequence[Geometry], reference: float, all_exits: bool
    ) -> bool:
        """One run of the solver; False if its plan exceeds a limit, as it may by the room that limits are given."""
        solver = Solver(model)
        start = None
        if self.best.plan is not None:
            start = solver.completed(self._fixings(model, self.best.plan, all_exits), min(10.0, self.best.left_s()))
        known = self.best.objective

        def proved(bound: float) -> float:
            """No energy is negative, and the solver's rows hold to its tolerance only."""
            return min(max(bound - TOLERANCE, 0.0) * reference, known)

        def report(_: float, __: float, bound: float) -> None:
            self.best.prove(proved(bound))

        solution = solver.solve(self.best.left_s(), self.gap, start, report)
        self.best.was_interrupted = solution.was_interrupted
        self.best.prove(known if solution.is_infeasible else proved(solution.bound))
        if solution.values is None:
            return True
        solver.load(solution.values)
        keeps_limits = self._offer(self._plan(paths(model, data), geometries, all_exits))
        return keeps_limits or not self._is_open()

    def _fixings(self, model: object, plan: Plan, all_exits: bool) -> list[tuple[object, float]]:
        """The steps of a plan, and its exits."""
        fixings = []
        for h, (placement, source) in enumerate(zip(plan.placements, self.problem.sources, strict=True)):
            for b, (n, m) in enumerate(zip((source, *placement.nodes), placement.nodes, strict=False), start=1):
                if (step := (h, b, n, m)) in model.STEPS:  # type: ignore[attr-defined]  # a Pyomo model
                    fixings.append((model.z[step], 1.0))  # type: ignore[attr-defined]
            fixings.append((model.y[h, placement.exit if all_exits else 0], 1.0))  # type: ignore[attr-defined]
        return fixings

    def _plan(self, chosen: list[tuple[int, tuple[int, ...]]], geometries: Sequence[Geometry], all_exits: bool) -> Plan:
        return Plan(
            tuple(
                Placement(application.name, exit if all_exits else shape.exit, nodes)
                for application, (exit, nodes), shape in zip(self.problem.applications, chosen, geometries, strict=True)
            )
        )

    def _offer(self, plan: Plan) -> bool:
        """Keep it if it is the best; False if it breaks a limit."""
        evaluation = self.judge(plan)
        if evaluation.is_feasible:
            self.best.offer(plan, evaluation.energy_j)
        return evaluation.is_feasible


def _plan_of(geometries: Sequence[Geometry], paths: Sequence[Path]) -> Plan:
    return Plan(tuple(shape.placement(path) for shape, path in zip(geometries, paths, strict=True)))


def worthwhile(geometries: Sequence[Geometry], limits: Limits, priced: Priced, energy: float) -> list[Geometry]:
    """The geometries without the steps that no plan below `energy` takes; plans of that energy keep theirs.

    A plan that takes a step costs at least the bound of `priced`, and what a path of that application through the step
    needs more than its best; prices of time, too, bound that from below.
    """
    kept = []
    for shape, least in zip(geometries, priced.least, strict=True):
        shape = shape.within(limits)
        allowed = through(shape.time, shape.source) <= shape.longest_s
        if np.isfinite(energy):
            room = energy * (1 + ACCURACY) - (priced.bound - least)
            dear = at_prices(shape, priced.shared)
            price = larac(dear).price
            for slope in SLOPES if 0 < price < np.inf else (0.0,):
                weights = through(dear.priced(slope * price), dear.source)
                allowed &= weights - slope * price * shape.longest_s <= room
        values = [np.where(allowed, array, np.inf) for array in (shape.energy, shape.time)]
        kept.append(replace(shape, energy=values[0], time=values[1]))
    return kept


def _scale(geometries: Sequence[Geometry]) -> float:
    """Least energy of each application alone: what the best plan needs is no less, so that it is not lost in the
    solver's tolerances however much other steps cost. Where that is nothing, the dearest step."""
    paths = [least_path(shape.energy, shape.source) for shape in geometries]
    least = sum(found[1] for found in paths if found is not None)
    return least or max(float(shape.energy[np.isfinite(shape.energy)].max(initial=0.0)) for shape in geometries)
