"""Cinder's API, scheduler and volume services in one process. Arguments: those of cinder-api (--config-file FILE).

All the code that answers is Cinder's own. In one process oslo.messaging's fake:// transport connects the three services
as a message broker would, so that none is needed.
"""
import eventlet

eventlet.monkey_patch()
# The main thread was registered before the patch (https://github.com/eventlet/eventlet/issues/592).
import __original_module_threading  # noqa: E402
import threading  # noqa: E402

__original_module_threading.current_thread.__globals__['_active'] = threading._active

import sys  # noqa: E402

from cinder import i18n  # noqa: E402

i18n.enable_lazy()
from cinder.common import config  # noqa: E402
from cinder import coordination  # noqa: E402
from cinder import objects  # noqa: E402
from cinder import rpc  # noqa: E402
from cinder import service  # noqa: E402
from cinder import utils  # noqa: E402
from cinder import version  # noqa: E402
from oslo_config import cfg  # noqa: E402
from oslo_log import log  # noqa: E402
from oslo_service import service as oslo_service  # noqa: E402

from ironbark_lab import broker  # noqa: E402

CONF = cfg.CONF


class Service(service.Service):
    """A service among others: Cinder keeps the id that a service reports under in the class, for one service in a process."""

    def report_state(self):
        others = service.Service.service_id
        service.Service.service_id = self.origin_service_id
        try:
            super().report_state()
        finally:
            service.Service.service_id = others


def main():
    objects.register_all()
    CONF(sys.argv[1:], project='cinder', version=version.version_string())
    config.set_middleware_defaults()
    log.setup(CONF, 'cinder')
    utils.monkey_patch()
    coordination.COORDINATOR.start()
    broker.behave_like_a_broker()
    rpc.init(CONF)

    launcher = oslo_service.ServiceLauncher(CONF)
    launcher.launch_service(Service.create(binary='cinder-scheduler'))
    # After the scheduler, which the volume services tell about themselves.
    for backend in CONF.enabled_backends:
        launcher.launch_service(Service.create(
            binary='cinder-volume', host=f'{CONF.host}@{backend}', service_name=backend, coordination=True))
    launcher.launch_service(service.WSGIService('osapi_volume'))
    launcher.wait()


main()
