# SPDX-License-Identifier: ISC
"""packaging/install-packages, with an apt-get that only tells."""
import os
import pathlib
import subprocess

import pytest

PACKAGING = pathlib.Path(__file__).resolve().parents[2] / "packaging"


@pytest.fixture
def ask(tmp_path):
    """A system on which `there` is installed and `commands` can be run."""
    def run(lines, there=(), commands=()):
        bin_ = tmp_path / "bin"
        bin_.mkdir()
        asked = tmp_path / "asked"

        def tool(name, text):
            (bin_ / name).write_text("#!/bin/sh\n" + text)
            (bin_ / name).chmod(0o755)

        tool("dpkg-query", "for last; do :; done\ncase $last in\n" + "".join(
            f"{p}) echo ok installed;;\n" for p in there) + "*) exit 1;;\nesac\n")
        tool("apt-get", f'echo "$@" >>{asked}\n')
        tool("sudo", 'case $1 in env) shift 2;; apt-get) ;; *) exit 0;; esac\n'
                     'exec "$@"\n')
        tool("systemctl", "")
        for name in ("dirname", "sed", "grep", "id", "mktemp", "tee", "chmod",
                     "tail", "rm", "cat", "sh"):
            if name == "id":
                tool("id", "echo 1000\n")
            else:
                (bin_ / name).symlink_to(f"/usr/bin/{name}")
        for name in commands:
            tool(name, "")
        (tmp_path / "list").write_text(lines)
        done = subprocess.run(
            [PACKAGING / "install-packages", tmp_path / "list"],
            env={"PATH": str(bin_)}, capture_output=True, text=True,
            check=False)
        assert done.returncode == 0, done.stderr
        if not asked.exists():
            return []
        return asked.read_text().splitlines()[-1].split()[3:]
    return run


def test_only_what_is_missing(ask):
    assert ask("one\ntwo # why\n# not\nthree\n", there=["two"]) == [
        "one", "three"]


def test_a_command_of_elsewhere_is_enough(ask):
    """Debian's npm conflicts with the Node.js of its own publisher."""
    assert ask("one\nnodejs=node\nnpm=npm\n", commands=["node"]) == [
        "one", "npm"]


def test_nothing_missing_asks_nothing(ask):
    assert ask("one\nnpm=npm\n", there=["one"], commands=["npm"]) == []
