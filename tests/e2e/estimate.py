# SPDX-License-Identifier: GPL-2.0-or-later
"""
`kcapture estimate` and `makedumpfile --mem-usage` on a running machine, held against the real makedumpfile on the same
machine and against the dump that its crash then leaves, under the crashkernel= that the estimate asked for.
"""

import json
import re

from e2e import scenario
from e2e.cases import Case
from lib import guest
from lib.cpio import Archive
from lib.paths import KCAPTURE
from lib.runner import expect

# In the first kernel, when it is armed. The tables of the two take turns: what moves between them is noise.
BEFORE = """
ln -s /usr/bin/kcapture /tmp/makedumpfile
for program in makedumpfile /tmp/makedumpfile makedumpfile; do
    echo "usage: $program"; $program --mem-usage /proc/kcore 2> /dev/null | tr '\\t' ' '
done
echo "estimate: $(kcapture estimate --json --rate 1000)"
kcapture estimate --rate 1000; echo "estimate exits $?"
dmesg -c > /dev/null; echo "kcapture test: after the clearing" > /dev/kmsg
mount -o bind /dev/null /proc/kcore; echo "by-flags: $(kcapture estimate --json 2> /dev/null)"; umount /proc/kcore
"""
CASE = Case("estimate", arm="--load auto", dirty=60, crashkernel="96M",
            config=("dump_level 31", "format kdump", "compress lzo"))


class Estimated(scenario.Scenario):
    """The machine runs BEFORE before it crashes."""

    def first_initrd(self):
        archive = Archive()
        guest.add_program(archive, "makedumpfile")
        archive.file("before", BEFORE)
        return super().first_initrd() + archive.image()


def tables(text):
    """Of each table {type: pages}."""
    found = []
    for part in text.split("usage: ")[1:4]:
        found.append({name: int(pages) for name, pages in re.findall(r"^([A-Z_]+|Total pages on system:) +(\d+) ", part, re.M)})
    return found


def close(ours, theirs, share, pages):
    return abs(ours - theirs) <= max(share * theirs, pages)


def check_tables(text):
    before, ours, after = tables(text)
    expect(len(ours) == 7 and ours.keys() == before.keys() == after.keys(), f"the tables are {ours} and {before}")
    # 1.7 counts the kernel's image twice, in its total and in what it calls kernel data.
    image = before["Total pages on system:"] - ours["Total pages on system:"]
    expect(2000 < image < 20000, f"{image} pages more in theirs")
    for name, pages in ours.items():
        pages += image if name in ("KERN_DATA", "Total pages on system:") else 0
        expect(close(pages, before[name], 0.03, 400) or close(pages, after[name], 0.03, 400),
               f"{name}: {pages} pages, theirs {before[name]} before and {after[name]} after")


def check_estimate(told, flags, size, wanted_pages):
    """The numbers before the crash and those of the dump; what happens between the two is noise again."""
    level31 = next(dump for dump in told["dumps"] if dump["level"] == 31)
    expect(told["source"] == "kcore" and flags["source"] == "kpageflags", "counted by something else")
    expect(close(level31["pages"], wanted_pages, 0.1, 500), f"level 31: {level31['pages']} pages, the dump has {wanted_pages}")
    expect(level31["codecs"]["lzo"]["bytes"] == told["needed"], "the configured dump is not the one of level 31 with lzo")
    expect(close(told["needed"], size, 0.2, 1 << 20), f"{told['needed']} bytes estimated, the dump has {size}")
    expect(level31["codecs"]["zstd"]["bytes"] < told["needed"] < level31["codecs"]["none"]["bytes"], f"sizes are {level31}")
    for name, pages in told["classes"].items():
        expect(close(pages, flags["classes"][name], 0.05, 500), f"{name}: {pages} pages, by flags {flags['classes'][name]}")
    expect(told["targets"][0]["fits"] and told["targets"][0]["room"] > 100 << 20, f"the target: {told['targets']}")
    expect(told["crashkernel"]["wanted"] == told["crashkernel"]["reserved"], f"crashkernel: {told['crashkernel']}")


def check_partial_dmesg(core, directory):
    """What came after `dmesg --clear`, as makedumpfile finds it."""
    logs = {}
    for name, argv in (("ours", [KCAPTURE, "dump"]), ("theirs", ["makedumpfile"])):
        scenario.run_tool(*argv, "--message-level", "4", "--dump-dmesg", "--partial-dmesg", core, directory / f"{name}.txt")
        logs[name] = (directory / f"{name}.txt").read_text(errors="replace")
    expect(logs["ours"] == logs["theirs"] and "after the clearing" in logs["ours"].splitlines()[0]
           and "sysrq triggered crash" in logs["ours"], f"the log begins with {logs['ours'][:100]!r}, theirs {logs['theirs'][:100]!r}")


def check(directory):
    one = Estimated(CASE, directory)
    vm = one.run()
    text = "\n".join(line for _, line in vm.lines)
    console = scenario.check_console(one, vm)
    scenario.fetch_core(one, console)
    check_tables(text)
    told, flags = (json.loads(re.search(rf"^{name}: (.*)$", text, re.M)[1]) for name in ("estimate", "by-flags"))
    expect("estimate exits 0" in text and "it fits" in text, "the estimate for people fails")
    size = next(size for path, (_, size) in one.target.files().items() if path.endswith("/vmcore"))
    check_partial_dmesg(directory / "vmcore", directory)
    pages = int(re.search(r"level 31: (\d+) of \d+ pages wanted", console)[1])
    check_estimate(told, flags, size, pages)
    return f"{told['needed'] / 1e6:.1f} MB estimated, {size / 1e6:.1f} MB dumped, crashkernel={CASE.crashkernel}"
