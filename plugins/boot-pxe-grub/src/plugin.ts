import { posix } from 'node:path';
import { definePlugin, type Plugin } from '@ironbark/core';
import { describeInstanceImage, imageService } from '@ironbark/media';
import { BootLoaders, BootPublisher, netbootService, renderMasterGrubConfig } from '@ironbark/netboot';
import { grubConfig, type GrubSettings } from './options.ts';
import { PxeGrubBoot } from './pxe-grub-boot.ts';

/** Directories that GRUB is commonly built for: of distributions, and of grub-mknetdir. */
const builtFor = ['.', 'grub', 'boot/grub'];

/** Where GRUB looks for the configuration for all machines: where it was built for, or, as that of Fedora and RHEL, beside itself. */
function masterPaths(loaders: BootLoaders): readonly string[] {
  const besideLoaders = [loaders.nameOf('uefi-x86_64'), loaders.nameOf('uefi-arm64')].flatMap((name) => {
    return name === null ? [] : [posix.dirname(name)];
  });
  return [...new Set([...builtFor, ...besideLoaders])].map((directory) => posix.join(directory, 'grub.cfg'));
}

const plugin: Plugin<GrubSettings> = definePlugin({
  section: 'grub',
  config: grubConfig,
  async setup(host) {
    const netboot = await host.use(netbootService);
    const images = await host.use(imageService);
    const loaders = new BootLoaders(netboot, host.config.loaders);
    if (host.dryRun !== true) {
      const content = renderMasterGrubConfig(host.config.menu);
      for (const path of masterPaths(loaders)) await netboot.tree.writeShared({ root: 'tftp', path, content });
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
