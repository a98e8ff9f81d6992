import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatImageReference, invalidParameter, silentLogger, type ImageReference, type Task } from '@ironbark/core';
import { describeInstanceImage, type Images } from '@ironbark/media';
import { BootLoaders, BootPublisher, netbootConfig, openNetboot, type Netboot } from '@ironbark/netboot';
import { IpxeBoot, ipxeConfig, type IpxeMethod } from '../src/index.ts';
import { temporaryDirectory } from './temporary-directory.ts';

export interface Site {
  /** Holds the roots and nothing else. */
  readonly directory: string;
  readonly http: string;
  readonly netboot: Netboot;
  readonly boot: IpxeBoot;
}

export interface SiteOptions {
  readonly ipxe?: unknown;
  readonly netboot?: object;
  readonly method?: IpxeMethod;
  /** Contents of the images by reference. Default: every image holds its own reference. */
  readonly images?: ReadonlyMap<string, Uint8Array>;
}

/** The driver on an empty tree of boot files. */
export async function openSite(options: SiteOptions = {}): Promise<Site> {
  const directory = join(await temporaryDirectory(), 'site');
  await mkdir(directory);
  const config = netbootConfig.parse(options.netboot ?? { http_url: 'http://192.0.2.1:8080' });
  const netboot = await openNetboot({ config, stateDirectory: directory, log: silentLogger });
  const ipxe = ipxeConfig.parse(options.ipxe);
  const images = new DirectoryImages(await temporaryDirectory(), options.images);
  const services = {
    netboot,
    loaders: new BootLoaders(netboot, ipxe.loaders),
    publisher: new BootPublisher(netboot, images),
    describeImage: (task: Task) => describeInstanceImage(images, task),
  };
  return { directory, http: join(directory, 'http'), netboot, boot: new IpxeBoot(services, ipxe, options.method) };
}

/** Images that are written to a file when they are asked for. */
class DirectoryImages implements Images {
  readonly #directory: string;
  readonly #contents: ReadonlyMap<string, Uint8Array> | undefined;
  #count = 0;

  constructor(directory: string, contents: ReadonlyMap<string, Uint8Array> | undefined) {
    this.#directory = directory;
    this.#contents = contents;
  }

  async describe() {
    return { sizeBytes: null, properties: {} };
  }

  async close() {}

  async withFile<Result>(image: ImageReference, _task: Task, work: (path: string) => Promise<Result>): Promise<Result> {
    const reference = formatImageReference(image);
    const content = this.#contents === undefined ? reference : this.#contents.get(reference);
    if (content === undefined) throw invalidParameter(`There is no image ${reference}.`);
    const path = join(this.#directory, `image-${this.#count++}`);
    await writeFile(path, content);
    return await work(path);
  }
}
