# SPDX-License-Identifier: GPL-2.0-or-later
"""Dumps that lie on the target when the machine crashes: those of a crash loop, and those that may be deleted."""

import datetime

from lib import guest
from lib.runner import expect


def name(scenario, minutes):
    """The name of a dump that is so many minutes old when the test starts."""
    return f"{guest.HOSTNAME}-{scenario.started - datetime.timedelta(minutes=minutes):%Y-%m-%d-%H:%M:%S}"


def make(scenario, minutes):
    directory, data = f"/var/crash/{name(scenario, minutes)}", scenario.dir / "old.txt"
    data.write_text("old\n")
    for path in ("/var", "/var/crash", directory):
        scenario.target.debugfs(f"mkdir {path}", "-w")
    for path in ("vmcore", "kcapture.log"):
        scenario.target.debugfs(f"write {data} {directory}/{path}", "-w")


def check(scenario):
    """Just those that are to stay are there, whole."""
    case = scenario.case
    files = scenario.target.files() if case.old else {}
    for minutes in case.old:
        path = f"/var/crash/{name(scenario, minutes)}/"
        found = sorted(path_of.removeprefix(path) for path_of in files if path_of.startswith(path))
        wanted = ["kcapture.log", "vmcore"] if minutes in case.left else []
        expect(found == wanted, f"of the dump of {minutes} minutes ago there is {found}")


def check_no_memory(scenario):
    """What is small, with its sums, and no core."""
    old = [name(scenario, minutes) for minutes in scenario.case.old]
    files = [path.rsplit("/", 2)[1:] for path in scenario.target.files()]
    names = {file for directory, file in files if directory not in old}
    expect(names == {"kcapture.log", "vmcore-dmesg.txt", "vmcore-notes", "crash.json", "SHA256SUMS"}, f"the files are {names}")
