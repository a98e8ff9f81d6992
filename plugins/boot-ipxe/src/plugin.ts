import { definePlugin, type Plugin } from '@ironbark/core';
import { netbootService, renderGlobalScript } from '@ironbark/netboot';
import { IpxeBoot } from './ipxe-boot.ts';
import { ipxeConfig, type IpxeOptions } from './options.ts';

/** Name in the HTTP root of the script that DHCP names. */
const globalScriptPath = 'boot.ipxe';

const plugin: Plugin<IpxeOptions> = definePlugin({
  section: 'ipxe',
  config: ipxeConfig,
  async setup(host) {
    const netboot = await host.use(netbootService);
    if (host.dryRun !== true) {
      await netboot.tree.writeShared({ root: 'http', path: globalScriptPath, content: renderGlobalScript() });
    }
    host.boot.register('ipxe', new IpxeBoot(netboot, host.config));
  },
});

export default plugin;
