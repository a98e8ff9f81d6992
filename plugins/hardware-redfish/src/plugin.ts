import { definePlugin, type Plugin } from '@ironbark/core';
import { RedfishClientPool } from '@ironbark/redfish';
import { redfishConfig, type RedfishOptions } from './options.ts';
import { RedfishManagement } from './redfish-management.ts';
import { RedfishPower } from './redfish-power.ts';
import { RedfishSystems } from './redfish-systems.ts';

const plugin: Plugin<RedfishOptions> = definePlugin({
  section: 'redfish',
  config: redfishConfig,
  setup(host) {
    const clients = new RedfishClientPool({ log: host.log, patience: host.config.patience });
    host.onShutdown(() => clients.close());
    const systems = new RedfishSystems(clients);
    host.hardware.register('redfish', {
      interfaces: {
        power: ['redfish'],
        management: ['redfish'],
        boot: ['ipxe'],
        storage: ['noop'],
        deploy: ['volume'],
        vendor: ['no-vendor'],
        network: ['noop'],
      },
    });
    host.power.register('redfish', new RedfishPower(systems, host.config.power));
    host.management.register('redfish', new RedfishManagement(systems));
  },
});

export default plugin;
