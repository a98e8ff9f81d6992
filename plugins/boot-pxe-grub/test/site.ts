import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatImageReference, IronbarkError, silentLogger, type Task } from '@ironbark/core';
import { describeInstanceImage, type Images } from '@ironbark/media';
import { BootLoaders, BootPublisher, netbootConfig, openNetboot, type Netboot } from '@ironbark/netboot';
import { grubConfig, PxeGrubBoot } from '../src/index.ts';
import { temporaryDirectory } from './temporary-directory.ts';

export interface Site {
  /** Holds the roots and nothing else. */
  readonly directory: string;
  readonly tftp: string;
  readonly netboot: Netboot;
  readonly images: Images;
  readonly boot: PxeGrubBoot;
}

export interface SiteOptions {
  readonly grub?: unknown;
  readonly netboot?: object;
  /** The images that there are, by their reference as text. */
  readonly images?: ReadonlyMap<string, Uint8Array>;
  /** Properties of every image. */
  readonly imageProperties?: Readonly<Record<string, string>>;
}

/** The driver on an empty tree of boot files. */
export async function openSite(options: SiteOptions = {}): Promise<Site> {
  const base = await temporaryDirectory();
  const directory = join(base, 'site');
  await mkdir(directory);
  const config = netbootConfig.parse(options.netboot ?? { http_url: 'http://192.0.2.1:8080' });
  const netboot = await openNetboot({ config, stateDirectory: directory, log: silentLogger });
  const settings = grubConfig.parse(options.grub);
  const images = imagesOf(base, options);
  const services = {
    netboot,
    loaders: new BootLoaders(netboot, settings.loaders),
    publisher: new BootPublisher(netboot, images),
    describeImage: async (task: Task) => describeInstanceImage(images, task),
  };
  const boot = new PxeGrubBoot(services, settings);
  return { directory, tftp: join(directory, 'tftp'), netboot, images, boot };
}

function imagesOf(directory: string, { images, imageProperties = {} }: SiteOptions): Images {
  return {
    describe: async () => ({ sizeBytes: null, properties: imageProperties }),
    async withFile(reference, _task, work) {
      const bytes = images?.get(formatImageReference(reference));
      if (bytes === undefined) throw new IronbarkError('NOT_FOUND', 'There is no such image.');
      const path = join(directory, randomUUID());
      await writeFile(path, bytes);
      return await work(path);
    },
    close: async () => {},
  };
}
