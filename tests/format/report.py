# SPDX-License-Identifier: GPL-2.0-or-later
"""
`kcapture report` in a real browser: the page needs nothing but itself, shows what happened at desktop and phone width,
dark and light, and obeys nothing that a hostile dump says.
"""

import html.parser
import re
import subprocess
import tempfile

from lib import readers
from lib.paths import KCAPTURE
from lib.runner import DEADLINE, expect

CHROMIUM = ("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
            "--disable-background-networking", "--disable-component-update", "--disable-sync")
VOID = {"meta"}
LOOKS = {"desktop-light": (1280, 2400, 1), "desktop-dark": (1280, 2400, 0), "phone-light": (390, 3400, 1),
         "phone-dark": (390, 3400, 0)}


class Page(html.parser.HTMLParser):
    """The elements of a page; every one must be closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.seen, self.text = [], [], ""
        self.feed(text)
        expect(not self.open, f"elements are not closed: {self.open}")

    def handle_starttag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        expect(self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-1:]}")
        self.open.pop()

    def handle_data(self, data):
        self.text += data


def make(core, directory, name):
    out = directory / f"{name}.html"
    code, text = readers.run([KCAPTURE, "report", core, "-o", out])
    expect(code == 0 and not text, f"kcapture report exits {code}: {text.strip()[-300:]}")
    return out


def check_page(path, wanted):
    source = path.read_text()
    page = Page(source)
    for tag, attributes in page.seen:
        expect(tag not in ("script", "link", "img", "iframe", "object", "form", "base"), f"there is a <{tag}>")
        for key, value in attributes.items():
            expect(not key.startswith("on") and not (key in ("src", "href") and not value.startswith("#")),
                   f'<{tag} {key}="{value}">')
    expect("url(" not in source.replace("url(#", "") and "@import" not in source, "the page loads something")
    for text in wanted:
        expect(text in page.text, f"the page does not say {text!r}")
    return page


def chromium(path, *args):
    with tempfile.TemporaryDirectory() as profile:
        run = subprocess.run([*CHROMIUM, f"--user-data-dir={profile}", *args, f"file://{path}"], capture_output=True, text=True,
                             timeout=DEADLINE)
    expect(run.returncode == 0, f"chromium exits {run.returncode}: {run.stderr.strip()[-300:]}")
    return run.stdout


def in_browser(core, directory):
    path = make(core, directory, "report")
    check_page(path, ("sysrq triggered crash", "sysrq_handle_crash", "entry_SYSCALL_64_after_hwframe", "panicked",
                      "page cache", "idle kernel threads", "k1-"))
    dom = chromium(path, "--dump-dom")
    expect("sysrq_handle_crash" in dom and "</footer>" in dom, "the browser does not see the whole page")
    for look, (width, height, scheme) in LOOKS.items():
        shot = directory / f"{look}.png"
        chromium(path, f"--window-size={width},{height}", f"--blink-settings=preferredColorScheme={scheme}", f"--screenshot={shot}")
        expect(shot.stat().st_size > 50000, f"{look}: an empty picture")
    sizes = [(directory / f"{look}.png").read_bytes() for look in LOOKS]
    expect(len(set(sizes)) == len(sizes), "dark is not other than light")


def hostile(core, directory):
    """Names and messages of the dead kernel that look like markup, of the same length as what they replace."""
    bad = directory / "hostile.core"
    data = core.read_bytes()
    for old, new in ((b"sysrq: Trigger a crash", b'<img src=x onerror=a()'), (b"sysrq triggered crash", b"</h1><script>alert(1)"),
                     (b"crashbox", b"\"><b>x<b")):
        expect(len(old) == len(new) and old in data, f"{old} is not in the core")
        data = data.replace(old, new)
    bad.write_bytes(data)
    check_page(make(bad, directory, "hostile"), ("<img src=x onerror=a()", "</h1><script>alert(1)"))
    expect(not re.search(r"<b>x", (directory / "hostile.html").read_text()), "markup of the dump is obeyed")


CHECKS = (in_browser, hostile)
