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
