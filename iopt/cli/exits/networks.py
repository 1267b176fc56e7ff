"""`iopt exits networks`: profiles that can be named."""

from __future__ import annotations


def networks() -> None:
    """List the early-exit networks that come with iopt."""
    from iopt.exits.files import load_profile, profile_names
    from iopt.report.console import console
    from iopt.report.exits_listing import profiles_table

    console().print(profiles_table([load_profile(name) for name in profile_names()], profile_names()))
