# SPDX-License-Identifier: ISC
"""Fixtures of the end-to-end tests: servers and accounts.

server         one for the whole run; accounts keep tests apart
fresh_server   one of its own for a test
make_server    a function that starts servers with settings, for one test
account        a new account on the shared server
Every server is stopped at the end, and its log looked through.
"""
import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from lib.instance import BINARY, Instance  # noqa: E402


def pytest_configure(config):
    if not os.access(BINARY, os.X_OK):
        raise pytest.UsageError(
            f"{BINARY} is not there: run make, or set MAILSTEAD_BIN")


# Files of minutes: they begin first, so that none is alone at the end.
LONG = ("test_agent.py", "test_attack.py", "test_crash.py", "test_site.py",
        "test_imap_sessions.py", "test_send_crash.py", "test_mirror.py",
        "test_diskfull.py", "test_tls_rpt.py")


def is_shared(item):
    """It uses a fixture that is made once for its file."""
    return any(d[-1].scope in ("module", "class")
               for d in item._fixtureinfo.name2fixturedefs.values())


@pytest.hookimpl(tryfirst=True)  # xdist reads the marks
def pytest_collection_modifyitems(items):
    """Tests that share something go to one process of pytest-xdist (--dist
    loadgroup), and the others to whichever is free."""
    def order(item):
        name = item.path.name
        return (LONG.index(name) if name in LONG else len(LONG),
                not item.get_closest_marker("xdist_group"))
    for item in items:
        if is_shared(item):
            item.add_marker(pytest.mark.xdist_group(item.path.name))
    items.sort(key=order)


def started(settings=None):
    s = Instance(settings)
    try:
        s.start()
        s.add_domain()
    except BaseException:
        s.remove()
        raise
    return s


@pytest.fixture(scope="session")
def server():
    s = started()
    yield s
    try:
        s.stop()
    finally:
        s.remove()


@pytest.fixture
def make_server():
    made = []

    def make(settings=None):
        made.append(started(settings))
        return made[-1]
    yield make
    try:
        for s in made:
            s.stop()
    finally:
        for s in made:
            s.remove()


@pytest.fixture
def fresh_server(make_server):
    return make_server()


@pytest.fixture
def account(server):
    return server.new_account()
