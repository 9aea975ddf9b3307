"""A coordinator's process: its parts put together, started, and ended in good order."""

from __future__ import annotations

import gc
import json
import os
import signal
from typing import Final

from tocsin import clock
from tocsin.keys import load_or_make_keypair
from tocsin.link import Hub, Waiter, new_keypair
from tocsin.lock import DirectoryLock
from tocsin.log import Log

from .config import CoordinatorConfig
from .gateway import Gateway
from .machine.machine import Machine
from .service import Service
from .store.sqlite import SqliteStore

GC_THRESHOLDS: Final = (50_000, 20, 50)
"""Nearly nothing here is a cycle, and each look for one walks all runs that are not over."""


def run_coordinator(config: CoordinatorConfig) -> int:
    """Run a coordinator until SIGTERM or SIGINT; the exit code.

    Raises:
        TocsinError: it cannot start: another one runs, a port is taken, the store does not open.
    """
    log = Log("coordinator")
    config.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = DirectoryLock(config.data_dir / "coordinator.lock", "a coordinator")
    waiter = Waiter()
    waiter.wake_on_signals([signal.SIGTERM, signal.SIGINT])
    store = SqliteStore(config.data_dir)
    own = load_or_make_keypair(config.key_file, new_keypair)
    hub = Hub()
    try:
        gateway = Gateway(
            hub, own, bind=config.bind, ports=(config.port, config.enrol_port), log=log
        )
        machine = Machine(
            epoch=store.next_epoch(),
            policy=config.policy,
            new_id=clock.new_ulid,
            chance=clock.dice(),
        )
        service = Service(store, machine, gateway, config, log)
        service.restore()
        waiter.add(gateway.members)
        waiter.add(gateway.strangers)
        _announce(config, gateway, own.public)
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)
        log.info("coordinator.ready", port=gateway.members.port, epoch=machine.epoch)
        while not waiter.take_signals():
            service.turn(waiter)
        service.close()
        log.info("coordinator.stopped")
        gateway.close()
    finally:
        hub.close()
        store.close()
        lock.release()
    return 0


def _announce(config: CoordinatorConfig, gateway: Gateway, public_key: str) -> None:
    """Say, to those who wait for it, that and where this coordinator listens."""
    if config.endpoint_file is not None:
        told = {
            "pid": os.getpid(),
            "port": gateway.members.port,
            "enrol_port": gateway.strangers.port,
            "server_key": public_key,
        }
        fresh = config.endpoint_file.with_suffix(".new")
        fresh.write_text(json.dumps(told))
        fresh.replace(config.endpoint_file)
    if "NOTIFY_SOCKET" in os.environ:
        from sdnotify import SystemdNotifier  # only where systemd listens

        SystemdNotifier().notify("READY=1")
