# SPDX-License-Identifier: GPL-2.0-or-later
"""Where things are: the repository, its build directory, the two programs under test and the cache of downloads."""

import pathlib

REPO = pathlib.Path(__file__).resolve().parents[2]
TESTS = REPO / "tests"
BUILD = REPO / "build"
CACHE = BUILD / "cache"
KCAPTURE = BUILD / "kcapture"
INIT = BUILD / "init"
