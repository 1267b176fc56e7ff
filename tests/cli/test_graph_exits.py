"""Networks with exits on the command line: they can be written, and a partition refuses them."""

from __future__ import annotations

from tests.cli.conftest import Iopt


def test_a_network_with_exits(iopt: Iopt) -> None:
    assert iopt("graph", "b-lenet", "-o", "b-lenet.json").code == 0
    for model in ("b-lenet.json", "b-lenet"):
        refused = iopt("plan", model, "--cluster", "mixed2", "--quiet")
        assert (refused.code, refused.out) == (2, "")
        assert "b-lenet has 2 exits" in refused.err
        assert "Traceback" not in refused.err
    assert "b-resnet" in iopt("models").out
