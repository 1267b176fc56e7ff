"""Plans carried out on ranks of this host, one process per device."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from safetensors.torch import load_file, save_file

from iopt.partition.runtime.folders import work_folder
from iopt.partition.runtime.processes import run_together
from iopt.partition.runtime.pulse import Pulse
from iopt.partition.runtime.rank import Job, Outcome, run_rank
from iopt.partition.runtime.records import RankReport


def launch(jobs: Sequence[Job], timeout_s: float) -> list[Outcome]:
    """Run jobs one after another, on one process per device; all have equally many devices.

    A rank hangs that does not get on for `timeout_s`. Raises `DeviceLostError` where processes end or hang, `RunError`
    where one fails otherwise, `IoptError` for what a rank refuses; no process is left then.
    """
    names = [device.name for device in jobs[0].problem.cluster.devices]
    with work_folder() as folder:
        run_together(partial(_carry_out, tuple(jobs)), names, folder, timeout_s)
        return [_outcome(folder, number) for number in range(len(jobs))]


def _carry_out(jobs: Sequence[Job], rank: int, folder: Path, pulse: Pulse) -> None:
    for number, job in enumerate(jobs):
        if outcome := run_rank(job, rank, rank, pulse):
            _keep(folder, number, outcome)


def _keep(folder: Path, number: int, outcome: Outcome) -> None:
    save_file({"output": outcome.output.contiguous().clone()}, folder / f"output-{number}.safetensors")
    reports = [report.to_dict() for report in outcome.reports]
    (folder / f"reports-{number}.json").write_text(json.dumps(reports))


def _outcome(folder: Path, number: int) -> Outcome:
    reports = json.loads((folder / f"reports-{number}.json").read_text())
    output = load_file(folder / f"output-{number}.safetensors")["output"].clone()
    return Outcome(output, [RankReport.from_dict(each) for each in reports])
