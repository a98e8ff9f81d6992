import { definePlugin, type Plugin } from '@ironbark/core';
import { describeInstanceImage, imageService } from '@ironbark/media';
import {
  BootLoaders,
  BootPublisher,
  netbootService,
  renderAutoexecScript,
  renderGlobalScript,
  type Netboot,
} from '@ironbark/netboot';
import { globalScriptPath, IpxeBoot, type IpxeServices } from './ipxe-boot.ts';
import { ipxeConfig, type IpxeOptions } from './options.ts';

const plugin: Plugin<IpxeOptions> = definePlugin({
  section: 'ipxe',
  config: ipxeConfig,
  async setup(host) {
    const netboot = await host.use(netbootService);
    const images = await host.use(imageService);
    const loaders = new BootLoaders(netboot, host.config.loaders);
    if (host.dryRun !== true) {
      await writeScripts(netboot);
      await loaders.install(host.log);
    }
    const services: IpxeServices = {
      netboot,
      loaders,
      publisher: new BootPublisher(netboot, images),
      describeImage: (task) => describeInstanceImage(images, task),
    };
    host.boot.register('ipxe', new IpxeBoot(services, host.config));
    host.boot.register('http-ipxe', new IpxeBoot(services, host.config, 'uefihttp'));
  },
});

export default plugin;

async function writeScripts({ tree, httpUrl }: Netboot): Promise<void> {
  await tree.writeShared({ root: 'http', path: globalScriptPath, content: renderGlobalScript() });
  if (httpUrl === null) return;
  const content = renderAutoexecScript(`${httpUrl}/${globalScriptPath}`);
  for (const root of ['http', 'tftp'] as const) await tree.writeShared({ root, path: 'autoexec.ipxe', content });
}
