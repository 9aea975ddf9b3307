"""A coordinator's process: its parts put together, started, and ended in good order."""

from __future__ import annotations

import gc
import json
import os
import signal
from collections.abc import Callable
from typing import Final

import tocsin.blocks  # noqa: F401 - a reload needs it, after an upgrade may have replaced it
from tocsin import clock
from tocsin.errors import TocsinError
from tocsin.keys import load_or_make_keypair
from tocsin.link import Hub, Waiter, new_keypair
from tocsin.lock import DirectoryLock
from tocsin.log import Log
from tocsin.service_manager import ServiceManager, reload_signals

from .backup.handover import check_not_handed_over
from .config import CoordinatorConfig
from .gateway import Gateway
from .machine.machine import Machine
from .service import Service, now
from .store.sqlite import SqliteStore

GC_THRESHOLDS: Final = (50_000, 20, 50)
"""Nearly nothing here is a cycle, and each look for one walks all runs that are not over."""


_NEED_A_RESTART: Final = ("data_dir", "key_file", "bind", "port", "enrol_port", "policy")


def run_coordinator(config: CoordinatorConfig, reread: Callable[[], CoordinatorConfig]) -> int:
    """Run a coordinator until SIGTERM or SIGINT; the exit code.

    Args:
        config: its settings.
        reread: gives them as they are when SIGHUP arrives.

    Raises:
        TocsinError: it cannot start: another one runs, a port is taken, the store does not open.
    """
    log = Log("coordinator", config.log_level)
    config.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = DirectoryLock(config.data_dir / "coordinator.lock", "a coordinator")
    check_not_handed_over(config.data_dir)
    waiter = Waiter()
    waiter.wake_on_signals([signal.SIGTERM, signal.SIGINT, *reload_signals()])
    manager = ServiceManager(os.environ, os.getpid())
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
        manager.ready(service.summary())
        _work(service, waiter, manager, Reload(service, config, reread, log))
        manager.stopping()
        service.close()
        log.info("coordinator.stopped")
        gateway.close()
        log.close()
    finally:
        manager.close()
        hub.close()
        store.close()
        lock.release()
    return 0


def _work(service: Service, waiter: Waiter, manager: ServiceManager, reload: Reload) -> None:
    """Turn after turn, until it is to end. It is alive as long as this goes round."""
    while True:
        for number in waiter.take_signals():
            if number != signal.SIGHUP:
                return
            manager.reloading(now().steady_us)
            reload()
            manager.ready(service.summary())
        service.turn(waiter, manager.deadline_us())
        manager.beat(now().steady_us, service.summary)


class Reload:
    """What becomes of SIGHUP: settings are read again, and some of them hold from then on."""

    def __init__(
        self,
        service: Service,
        config: CoordinatorConfig,
        reread: Callable[[], CoordinatorConfig],
        log: Log,
    ) -> None:
        self._service = service
        self._config = config
        self._reread = reread
        self._log = log

    def __call__(self) -> None:
        """Read them; where they are wrong, all stays as it is."""
        try:
            fresh = self._reread()
        except TocsinError as error:
            self._log.error("reload.refused", error=error.message, hint=error.hint)
            return
        before, self._config = self._config, fresh
        self._log.set_level(fresh.log_level)
        self._service.admit(fresh.admin_keys)
        late = [key for key in _NEED_A_RESTART if getattr(fresh, key) != getattr(before, key)]
        if late:
            self._log.warning("reload.needs_restart", keys=",".join(late))
        self._log.info("reload.done", log_level=fresh.log_level)


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
