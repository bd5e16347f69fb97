# SPDX-License-Identifier: ISC
"""Programs of Debian packages that are not installed: packaging/unpack-packages
puts each into a folder below build-peers, with the libraries that it needs.
MAILSTEAD_PEERS names another folder."""
import os
import pathlib

from lib.instance import ROOT

FOLDER = pathlib.Path(os.environ.get("MAILSTEAD_PEERS",
                                     ROOT / "build-peers"))
MISSING = "is not there: packaging/unpack-packages build-peers apt-peers.txt"


def root_of(package):
    """The folder of a package, or None."""
    root = FOLDER / package
    return root if root.is_dir() else None


def environment(root, *folders):
    """Variables with which a program below root finds its libraries."""
    libraries = sorted(str(p) for p in root.glob("usr/lib/*-linux-gnu"))
    return {**os.environ, "LD_LIBRARY_PATH": ":".join(
        [str(root / f) for f in folders] + libraries)}
