"""Whatever goes wrong is one line on standard error and an exit code."""

from __future__ import annotations

import shlex
import textwrap
from pathlib import Path

import pytest
import yaml

from iopt.exits.files import load_profile
from iopt.exits.files.profile_file import to_dict
from tests.cli.conftest import Iopt
from tests.cli.exits.test_plan import ASKED, WORKLOAD

TIERS = ("--tiers", "mobile-edge-cloud")
LIMITS = ("--accuracy", "0.8", "--latency", "5 ms")

BAD = {
    "'b-alexnt': neither a profile nor a file; did you mean 'b-alexnet'": ("plan", "b-alexnt", *TIERS, *LIMITS),
    "nope.json: cannot be read: there is no such file": ("plan", "nope.json", *TIERS, *LIMITS),
    "nope.yaml: cannot be read: there is no such file": ("plan", "nope.yaml"),
    "missing option '--tiers'; expected a preset": ("plan", "b-alexnet", *LIMITS),
    "missing option '--accuracy'; expected a number": ("compare", "b-alexnet", *TIERS),
    "missing option '--latency'; expected a time": ("plan", "b-alexnet", *TIERS, "--accuracy", "0.8"),
    "--latency: missing unit: expected a latency such as '5 ms', got '5'": ("plan", *ASKED, "--latency", "5"),
    "--latency: expected a latency from 1 ns to 1e6 s, got '0 s'": ("plan", *ASKED, "--latency", "0 s"),
    "--rate: expected a rate that is not negative, got '-1 Hz'": ("plan", *ASKED, "--rate", "-1 Hz"),
    "--accuracy: 1.5; expected a number from 0 to 1": ("plan", *ASKED, "--accuracy", "1.5"),
    "--accuracy: nan; expected a number from 0 to 1": ("plan", *ASKED, "--accuracy", "nan"),
    "--thresholds: 1; expected two or more per exit": ("front", "b-alexnet", *TIERS, "--thresholds", "1"),
    "application 'b-alexnet': source: no device is named 'edg'; did you mean 'edge'?": (
        *("plan", *ASKED, "--source", "edg"),
    ),
    "unknown method 'fim'; did you mean 'fin'?": ("plan", *ASKED, "--method", "fim"),
    "gamma is 0; expected a whole number, 1 or more": ("plan", *ASKED, "--method", "fin", "--gamma", "0"),
    "Invalid value for '--energy': 'much' is not one of 'expected', 'unconditional'": (
        *("plan", *ASKED, "--energy", "much"),
    ),
    "cal4: cluster 'cal4': device 'device-1': power: missing; expected it, such as '6 W', since energy is counted": (
        *("plan", "b-lenet", "--tiers", "cal4", *LIMITS),
    ),
    "flat.yaml: cluster: cal4: cluster 'cal4': device 'device-1': power: missing": ("plan", "flat.yaml"),
    "'nonexist': neither a profile nor a file (profiles: b-alexnet": ("plan", "nonexist"),
    "mypkg:net is Python code, not a profile; measure it first: `iopt exits profile mypkg:net --data ": (
        *("plan", "mypkg:net"),
    ),
    "--accuracy: 80; expected a number from 0 to 1 (write 0.8 for 80 %)": (*("plan", *ASKED, "--accuracy", "80"),),
    "flat80.yaml: applications[0].accuracy: expected a number from 0 to 1 (write 0.8 for 80 %), got 80": (
        *("plan", "flat80.yaml"),
    ),
    "graph.json: schema: expected 'iopt/exits-profile/1', got 'iopt/graph/1', a graph, read by `iopt plan`, `iopt": (
        *("plan", "graph.json", *TIERS, *LIMITS),
    ),
    "work.yaml is a workload, which says all by itself; leave out --tiers": ("plan", "work.yaml", *TIERS),
    "work.yaml is a workload, which says all by itself; leave out --link-rate": (
        *("compare", "work.yaml", "--link-rate", "min"),
    ),
    "sum.yaml: network 'b-alexnet': exits: fractions with a sum of 0.9; expected a sum of 1": (
        *("plan", "sum.yaml", *TIERS, *LIMITS),
    ),
    "order.yaml: network 'b-alexnet': exits[1].after: 1; expected a block from 2 to 5": (
        *("plan", "order.yaml", *TIERS, *LIMITS),
    ),
    "work.yaml: cannot be written: it is the file that NETWORK names": ("plan", "work.yaml", "-o", "work.yaml"),
    "work.yaml: schema: expected 'iopt/exits-placement/1'": ("check", "work.json"),
    "front.jpg: a picture is one of .png, .svg, .pdf": ("front", "b-lenet", *TIERS, "--picture", "front.jpg"),
    "a front is of one application; there are 3": ("front", "work.yaml"),
    "--thresholds: profile 'b-lenet' has no observations": ("front", "b-lenet", *TIERS, "--thresholds", "4"),
    "No such command 'xyzzy' (try 'iopt exits --help')": ("xyzzy",),
    "Missing argument 'NETWORK|WORKLOAD.yaml' (try 'iopt exits plan --help')": ("plan",),
}


@pytest.mark.parametrize("message", BAD)
def test_bad_input_is_one_line(iopt: Iopt, message: str) -> None:
    Path("work.yaml").write_text(WORKLOAD)
    Path("work.json").write_text('{"schema": "work"}')
    Path("graph.json").write_text('{"schema": "iopt/graph/1"}')
    Path("flat.yaml").write_text(WORKLOAD.replace("mobile-edge-cloud", "cal4"))
    Path("flat80.yaml").write_text(WORKLOAD.replace("0.8", "80"))
    for name, key, value in (("sum", "fraction", 0.152), ("order", "after", 1)):
        data = to_dict(load_profile("b-alexnet"))
        data["exits"][1][key] = value
        Path(f"{name}.yaml").write_text(yaml.safe_dump(data))
    code, out, err = iopt("exits", *BAD[message])
    assert (code, out) == (2, "")
    assert err.startswith(f"iopt: {message.replace('work.yaml: schema', 'work.json: schema')}")
    assert err.count("\n") == 1


@pytest.mark.parametrize("command", ["plan", "compare", "front", "profile", "run", "show", "check", "networks"])
def test_every_command_has_help(iopt: Iopt, command: str) -> None:
    code, out, err = iopt("exits", command, "--help")
    assert (code, err) == (0, "")
    assert out.startswith(f"Usage: iopt exits {command} ")


def test_exits_alone_is_its_help(iopt: Iopt) -> None:
    code, out, err = iopt("exits")
    assert (code, err) == (0, "")
    assert out == iopt("exits", "--help").out
    assert out.startswith("Usage: iopt exits ")
    assert all(f"\n  {command} " in out for command in ("plan", "profile", "networks"))


def test_the_example_of_a_workload_in_the_help_is_one(iopt: Iopt) -> None:
    lines = iopt("exits", "plan", "--help").out.splitlines()
    first = next(index for index, line in enumerate(lines) if line.strip() == "cluster: mobile-edge-cloud")
    example = lines[first : lines.index("", first)]
    Path("work.yaml").write_text(textwrap.dedent("\n".join(example)))
    assert iopt("exits", "plan", "work.yaml").code == 0
    (command,) = (line for line in lines if line.strip().startswith("iopt exits plan b-alexnet"))
    assert iopt(*shlex.split(command)[1:]).code == 0
