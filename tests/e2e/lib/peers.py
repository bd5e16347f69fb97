# SPDX-License-Identifier: ISC
"""Programs of Debian packages that are not installed: packaging/unpack-packages
puts each into a folder below build-peers, with the libraries that it needs.
MAILSTEAD_PEERS names another folder."""
import os
import pathlib
import re
import socket

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


def greets(host, port):
    """Does an SMTP server answer there?"""
    try:
        with socket.create_connection((host, port), 5) as s:
            return s.recv(100).startswith(b"220")
    except OSError:
        return False


def mail_to(maildir, field, address):
    """The messages of a maildir whose header names the address in that field,
    with the line ends of SMTP."""
    wanted = re.compile(rb"(?mi)^" + field.encode() + rb": " +
                        re.escape(address.encode()) + rb"$")
    found = []
    for file in (maildir / "new").glob("*"):
        data = file.read_bytes()
        if wanted.search(data.split(b"\n\n")[0]):
            found.append(data.replace(b"\n", b"\r\n"))
    return found
