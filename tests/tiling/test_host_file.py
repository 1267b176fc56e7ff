"""Host files give back what was written, and are of one network."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path

import pytest

from iopt.errors import ModelError, OptionError
from iopt.graph.file import graph_hash
from iopt.tiling import files
from iopt.tiling.files import host_file
from iopt.tiling.files.host_file import Host, Machine
from iopt.tiling.files.host_schema import json_schema
from iopt.tiling.latency import HostModel, LayerTime
from tests.changes import Change, Data, put
from tests.instances import chain, conv

GRAPH = chain("net", (3, 8, 8), [conv(4, 3), conv(2, 1)])
MODEL = HostModel((LayerTime((1.0, 36.0), (1e-6, 1e-5)), LayerTime((4.0,), (2e-6,))), 1e-6, 3e-6, 2e-10)
HOST = Host("net", graph_hash(GRAPH), MODEL, 2**20, Machine("a processor", "2.0", 1, "lean", 5, 6, 0.02, 0.1))


UNJUDGED = replace(HOST, measured=Machine("a processor", "2.0", 1, "lean", 5, 1, None, None))


@pytest.mark.parametrize("host", [HOST, replace(HOST, bias_bytes=None, measured=None), UNJUDGED])
def test_there_and_back(host: Host, tmp_path: Path) -> None:
    files.save_host(host, tmp_path / "host.json")
    assert files.load_host(tmp_path / "host.json", replace(GRAPH, name="renamed")) == host


def test_what_was_not_judged_has_no_error() -> None:
    assert host_file.to_dict(UNJUDGED)["measured"]["worst_error"] is None


def test_of_another_network(tmp_path: Path) -> None:
    files.save_host(HOST, tmp_path / "host.json")
    message = r"host\.json: the host's times are of the network 'net'; expected those of 'net' on an input of 1x3x9x9"
    with pytest.raises(ModelError, match=message):
        files.load_host(tmp_path / "host.json", chain("net", (3, 9, 9), [conv(4, 3), conv(2, 1)]))


def test_what_is_no_host() -> None:
    with pytest.raises(OptionError, match="host is a HostModel; expected a Host: `iopt tile profile` measures one"):
        files.save_host(MODEL, "host.json")  # type: ignore[arg-type]


def test_the_schema_that_comes_with_iopt_is_that_of_the_code() -> None:
    shipped = Path(files.__file__).parent / "host.schema.json"
    assert json.loads(shipped.read_text(encoding="utf-8")) == json_schema()


MALFORMED: dict[str, Change] = {
    "schema: expected 'iopt/tiling-host/1', got 'iopt/tiling-configuration/1', a configuration, read by": (
        put("schema", value="iopt/tiling-configuration/1")
    ),
    "graph_hash: ": put("graph_hash", value="abc"),
    "model.call_s: expected 0.0 or more, got -1.0": put("model", "call_s", value=-1.0),
    "model.copy_s: missing": lambda data: data["model"].pop("copy_s"),
    "model.layers: expected at least one entry": put("model", "layers", value=[]),
    "model: layers[1]: a layer's time has 2 cells and 1 seconds": put("model", "layers", 1, "cells", value=[1, 2]),
    "measured.executor: expected 'lean' or 'torch', got 'c'": put("measured", "executor", value="c"),
    "measured.worst_error: ": put("measured", "worst_error", value=-0.1),
    "bias_bytes: missing": lambda data: data.pop("bias_bytes"),
}


@pytest.mark.parametrize("message", MALFORMED)
def test_a_malformed_file_says_where(message: str) -> None:
    changed: Data = copy.deepcopy(json.loads(json.dumps(host_file.to_dict(HOST))))
    MALFORMED[message](changed)
    with pytest.raises(ModelError) as caught:
        host_file.from_data(changed, "host.json")
    assert str(caught.value).startswith(f"host.json: {message}")
    assert "\n" not in str(caught.value)
