# Copyright 2026 camera_ws_bridge developers
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

"""The fixtures of all tests, which see the installed package only, however pytest was started."""

import gc
import logging
import os
import pathlib
import signal
import sys

from hypothesis import settings
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]

# `colcon test` runs `python -m pytest` here, which puts the source tree in front of everything.
sys.path[:] = [entry for entry in sys.path if pathlib.Path(entry).resolve() != ROOT]
os.environ['PYTHONSAFEPATH'] = '1'  # the same for the processes that tests start

# Nor is scripts/env.bash sourced before `colcon test`; the tests talk to this machine only.
os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
if os.environ.get('ROS_DISTRO') == 'humble':  # which knows this alone
    os.environ.setdefault('ROS_LOCALHOST_ONLY', '1')

# launch, which launch_testing's plugins import, lets no logger made after it hand anything on: the
# tests of what is logged would miss it, and those that no secret is logged would see nothing.
logging.setLoggerClass(logging.Logger)
for logger in logging.root.manager.loggerDict.values():
    if isinstance(logger, logging.Logger) and logger.name.partition('.')[0] != 'launch':
        logger.propagate = True

# Under nohup SIGHUP is ignored, by the processes that tests start as well.
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# Every process that a test starts has the rclpy of that distribution, as far as names go.
if os.environ.get('CAMERA_WS_BRIDGE_COMPAT'):
    os.environ['PYTHONPATH'] = os.pathsep.join(
        [str(ROOT / 'test/compat' / os.environ['CAMERA_WS_BRIDGE_COMPAT']),
         os.environ.get('PYTHONPATH', '')])

# A busy machine may take its time.
settings.register_profile('no deadline', deadline=None)
settings.load_profile('no deadline')


def pytest_collection_finish():
    """Let the collections of single tests pass over what thousands of collected tests are."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def no_signal_stays_held_back():
    """Fail where a test blocks signals for good: the processes of later tests inherit that."""
    held_back = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    yield
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == held_back


# ---- TLS

@pytest.fixture(scope='session')
def authority():
    """Return an authority that issues certificates."""
    # No rosdep key: not there in every ROS install.
    return pytest.importorskip('trustme', reason='trustme is not installed: no TLS tests').CA()


@pytest.fixture(scope='session')
def tls_files(authority, tmp_path_factory):
    """Return the paths of PEM files by name; 'missing' is none, 'folder' holds them."""
    from rigs.shared import tls_pem

    folder = tmp_path_factory.mktemp('tls')
    paths = {'missing': str(folder / 'missing'), 'folder': str(folder)}
    for name, data in tls_pem(authority).items():
        (folder / name).write_bytes(data)
        paths[name] = str(folder / name)
    return paths


# ---- secrets

@pytest.fixture
def secret_file(tmp_path):
    """Return a maker of files with a mode."""
    def make(content, mode=0o600, name='secret'):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        path.chmod(mode)
        return str(path)
    return make


@pytest.fixture
def no_canary_logged(caplog):
    """Fail if anything of the test, at whatever level, logs a secret (all have 'canary')."""
    caplog.set_level(1)
    caplog.set_level(1, logger='asyncio')
    yield
    for record in caplog.get_records('call'):
        assert 'canary' not in str(vars(record)) + logging.Formatter().format(record)


# ---- the spool

@pytest.fixture
def path(tmp_path):
    """Return where a spool is to be."""
    return str(tmp_path / 'spool' / 'queue')


@pytest.fixture
def spool(path):
    """Return an open spool of 4 MiB."""
    from camera_ws_bridge.buffer.spool.spool import Spool

    spool = Spool.open(path, 4 * 2**20)
    yield spool
    spool.close()


@pytest.fixture
def rigs(path):
    """Return a function that makes SpoolWriters' rigs on one path; all are closed in the end."""
    from rigs.spool_writer_rig import PATIENCE, Rig

    made = []

    def make(*args, start=True, **options):
        made.append(Rig(path, *args, **options))
        return made[-1].start() if start else made[-1]
    yield make
    for rig in made:
        if hasattr(rig, 'writer'):
            rig.writer.close(PATIENCE)


# ---- the link

@pytest.fixture(params=['direct', 'by the task'])
def writing(request, monkeypatch):
    """Run a test of the link in both ways to write; websockets' legacy API knows only one."""
    from rigs.link_rig import FakeConnection

    monkeypatch.setattr(FakeConnection, 'direct', request.param == 'direct')


# ---- the bridge without ROS

@pytest.fixture
def shared():
    """Return a SharedLoop."""
    from camera_ws_bridge.process.loops import SharedLoop

    loop = SharedLoop()
    yield loop
    loop.stop()


@pytest.fixture
def loop_thread():
    """Return a running LoopThread."""
    from camera_ws_bridge.sim.loop_thread import LoopThread

    thread = LoopThread()
    yield thread
    thread.stop()
    assert not thread._thread.is_alive()
    thread.loop.close()


@pytest.fixture
def orchestrator(loop_thread):
    """Return an orchestrator that runs in the bridge's loop."""
    from rigs.in_process_rig import Orchestrator

    server = Orchestrator(loop_thread)
    yield server
    server.stop()
