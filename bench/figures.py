# SPDX-License-Identifier: ISC
"""figures.py - put what a benchmark measured into docs/performance.md."""
import pathlib
import re

PAGE = pathlib.Path(__file__).resolve().parents[1] / "docs" / "performance.md"


def write(mark, text):
    """Between <!-- mark --> and <!-- /mark -->; an error when there is no such
    place."""
    new, n = re.subn(rf"(<!-- {mark} -->\n).*?(<!-- /{mark} -->)",
                     lambda m: m[1] + text + "\n" + m[2], PAGE.read_text(),
                     flags=re.S)
    assert n == 1, f"{PAGE} has no place for {mark}"
    PAGE.write_text(new)
