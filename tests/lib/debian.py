# SPDX-License-Identifier: GPL-2.0-or-later
"""
Packages of other Debian suites without touching the system's own apt: a private apt state per suite, whose sources
are derived from the mirror that the machine itself is configured for, verified with Debian's own keyring.
"""

import os
import re
import subprocess

from lib.paths import CACHE

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
CODENAMES = ("buster", "bullseye", "bookworm", "trixie", "forky", "sid", "oldstable", "stable", "testing", "unstable")


class Unavailable(Exception):
    """A package, or a whole suite, that cannot be had here; tests that need it are skipped with this text."""


def mirror_uris():
    """The machine's (archive, security archive) base URIs; the second is None where none is configured."""
    out = subprocess.run(["apt-get", "indextargets", "--no-release-info", "--format",
                          "$(REPO_URI)|$(RELEASE)|$(COMPONENT)"],
                         capture_output=True, text=True, check=True).stdout
    archive = security = None
    for line in out.splitlines():
        uri, release, component = line.split("|")
        codename, _, pocket = release.partition("-")
        if component != "main" or codename.split("/")[0] not in CODENAMES:
            continue
        if not pocket and "/" not in codename:
            archive = archive or uri
        elif "security" in release:
            security = security or uri
    if archive is None:
        raise Unavailable("no Debian archive in the machine's apt configuration")
    return archive, security


def stanza(uri, suites, arch):
    return (f"Types: deb\nURIs: {uri}\nSuites: {suites}\nComponents: main\nArchitectures: {arch}\n"
            f"Signed-By: {KEYRING}\n\n")


class Suite:
    """One suite (with its security pocket, for amd64), in an apt state of its own below build/cache/apt/."""

    def __init__(self, name, arch="amd64"):
        self.name = name
        self.arch = arch
        self.dir = CACHE / "apt" / (name if arch == "amd64" else f"{name}-{arch}")
        self.updated = False

    def apt(self, tool, *args, cwd=None):
        options = {
            "Dir::State": self.dir, "Dir::State::status": "/dev/null", "Dir::Cache": self.dir / "cache",
            "Dir::Etc::sourcelist": self.dir / "debian.sources", "Dir::Etc::sourceparts": "/dev/null",
            "Acquire::Languages": "none", "Acquire::Retries": "3", "APT::Sandbox::User": "root",
            "APT::Architecture": self.arch, "APT::Architectures": self.arch, "APT::Get::List-Cleanup": "false",
        }
        argv = [tool] + [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
        run = subprocess.run(argv + list(args), capture_output=True, text=True, cwd=cwd,
                             env=dict(os.environ, LC_ALL="C"))
        if run.returncode:
            raise Unavailable(f"{self.name}: {tool} {args[0]}: {last_error(run.stderr)}")
        return run.stdout

    def update(self):
        if self.updated:
            return
        archive, security = mirror_uris()
        (self.dir / "lists" / "partial").mkdir(parents=True, exist_ok=True)
        (self.dir / "cache" / "archives" / "partial").mkdir(parents=True, exist_ok=True)
        sources = stanza(archive, self.name, self.arch)
        if security and self.name != "sid" and self.arch == "amd64":
            sources += stanza(security, f"{self.name}-security", self.arch)
        (self.dir / "debian.sources").write_text(sources)
        self.apt("apt-get", "update", "--error-on=any")
        self.updated = True

    def candidate(self, package):
        """The newest version of a package and the names in its Depends (alternatives: the first)."""
        text = self.apt("apt-cache", "show", "--no-all-versions", package)
        fields = dict(re.findall(r"^(Version|Depends): (.*)$", text, re.M))
        if "Version" not in fields:
            raise Unavailable(f"{self.name}: no package {package}")
        depends = [re.match(r"[^ (|]+", item.strip())[0] for item in fields.get("Depends", "").split(",") if item]
        return fields["Version"], depends

    def closure(self, package, pattern):
        """{name: version} of a package and those of its dependencies, direct or not, whose names match the pattern."""
        versions, todo = {}, [package]
        while todo:
            name = todo.pop()
            if name in versions:
                continue
            versions[name], depends = self.candidate(name)
            todo += [dep for dep in depends if re.fullmatch(pattern, dep)]
        return versions

    def download(self, names, directory):
        """Fetch the .deb files of the named packages into a directory and return their paths."""
        directory.mkdir(parents=True, exist_ok=True)
        self.apt("apt-get", "download", "-q", *names, cwd=directory)
        return sorted(directory.glob("*.deb"))


def last_error(stderr):
    """What went wrong, without the mirror's name."""
    lines = [line for line in stderr.splitlines() if line.startswith("E:")] or stderr.splitlines() or ["failed"]
    return re.sub(r"\w+://\S+", "(mirror)", lines[-1])


def unpack(deb, root, patterns):
    """Unpack the members of a package that match tar patterns, through root's own symbolic links (/lib -> usr/lib)."""
    archive = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE)
    tar = subprocess.run(["tar", "-x", "-C", root, "--no-same-owner", "--keep-directory-symlink", "--wildcards",
                          *patterns], stdin=archive.stdout, stderr=subprocess.PIPE, text=True)
    archive.stdout.close()
    if archive.wait():
        raise Unavailable(f"{deb.name}: dpkg-deb failed")
    missing = [line for line in tar.stderr.splitlines() if "Not found in archive" not in line
               and "Exiting with failure" not in line]
    if missing:
        raise Unavailable(f"{deb.name}: {missing[-1]}")
