import { definePlugin, type Plugin } from '@ironbark/core';
import { describeInstanceImage, imageService } from '@ironbark/media';
import { BootLoaders, BootPublisher, netbootService, renderMasterGrubConfig } from '@ironbark/netboot';
import { grubConfig, type GrubSettings } from './options.ts';
import { PxeGrubBoot } from './pxe-grub-boot.ts';

/** Where GRUB looks for the configuration for all machines, by the directory that it was built for. */
const masterPaths = ['grub/grub.cfg', 'grub.cfg'];

const plugin: Plugin<GrubSettings> = definePlugin({
  section: 'grub',
  config: grubConfig,
  async setup(host) {
    const netboot = await host.use(netbootService);
    const images = await host.use(imageService);
    const loaders = new BootLoaders(netboot, host.config.loaders);
    if (host.dryRun !== true) {
      const content = renderMasterGrubConfig(host.config.menu);
      for (const path of masterPaths) await netboot.tree.writeShared({ root: 'tftp', path, content });
      await loaders.install(host.log);
    }
    const services = {
      netboot,
      loaders,
      publisher: new BootPublisher(netboot, images),
      describeImage: (task: Parameters<PxeGrubBoot['describeImage']>[0]) => describeInstanceImage(images, task),
    };
    host.boot.register('pxe', new PxeGrubBoot(services, host.config));
  },
});

export default plugin;
