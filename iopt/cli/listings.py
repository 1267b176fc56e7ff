"""`iopt models` and `iopt clusters`: what can be named."""

from __future__ import annotations

from typing import Annotated

import typer


def models() -> None:
    """List the networks that come with iopt."""
    from iopt.report.console import console
    from iopt.report.listings import models_table
    from iopt.zoo import ENTRIES

    console().print(models_table(list(ENTRIES.values())))


def clusters(
    name: Annotated[str | None, typer.Argument(metavar="[NAME|FILE]", help="Show this one, as iopt reads it.")] = None,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON schema of cluster files.")] = False,
) -> None:
    """List the clusters that come with iopt, or show one."""
    from iopt.cluster import file as cluster_file
    from iopt.door import json_file
    from iopt.report.console import console
    from iopt.report.listings import clusters_table, print_cluster

    if schema:
        from iopt.cluster.schema import json_schema

        print(json_file.pretty(json_schema()))
    elif name is None:
        console().print(clusters_table(cluster_file.presets()))
    else:
        print_cluster(console(), cluster_file.load(name))
