# SPDX-License-Identifier: GPL-2.0-or-later
"""How each benchmark tells a bar, and how it ends: a line with the bars that were met and missed, and exit code 1 when one was missed."""

import re


def mark(met):
    """How the line of a bar begins."""
    return "ok  " if met else "MISS"


def total(judged, more=""):
    """The exit code; judged has a truth value for each bar."""
    missed = sum(not met for met in judged)
    print(f"{len(judged) - missed} bars met, {missed} missed{more}", flush=True)
    return 1 if missed else 0


def read(line):
    """(met, missed) of such a line, else None."""
    found = re.match(r"(\d+) bars met, (\d+) missed", line)
    return found and (int(found[1]), int(found[2]))
