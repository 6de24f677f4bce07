# SPDX-License-Identifier: GPL-2.0-or-later
"""What `kcapture status` says on the machine that `kcapture arm` has armed."""

import re

from lib.runner import expect


def check(vm):
    """What `kcapture status` says of what is loaded: see statuses() in guest.py."""
    text = "\n".join(line for _, line in vm.lines)
    before, it, changed, _ = re.split(r"guest: status of .*", text)[:4] if text.count("guest: status of") == 3 else 4 * ("",)
    expect(re.search(r"armed:    no", before) and re.search(r"armed: kernel \S+ by kexec", before), "arm and status before it")
    expect(re.search(r"armed:    yes, since 20\d\d-\S+Z\n+loaded:   kernel \S+ by kexec_\w*load, initramfs \S+ \(SHA-256 [0-9a-f]{16}", before),
           "status does not say what was loaded")
    expect("since arming" not in before and "/etc/kcapture.conf changed since arming" in it, "status and a changed configuration")
    expect("whether it is the one from before or the new one is not known" in changed, "an interrupted arm")
    expect(re.search(r"armed:    yes\n", changed) and "not by kcapture arm, or that was interrupted" in changed,
           "status after an interrupted arm")
