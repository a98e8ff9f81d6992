import { readFile, readdir } from 'node:fs/promises';
import { silentLogger, type ImageReference, type Logger, type Node, type ServiceHost, type Task } from '@ironbark/core';
import { createNode, createTask } from '@ironbark/driver-testkit/fakes';
import { onTestFinished } from 'vitest';
import { imagesConfig, openImages, type Images, type ImagesOptions } from '../../src/index.ts';
import { temporaryDirectory } from './temporary-directory.ts';

export interface Bench {
  readonly images: Images;
  readonly cacheDirectory: string;
  /** Messages of warnings. */
  readonly warnings: string[];
}

/** An image service with a cache of its own, which ends with the test. */
export async function openBench(settings: object = {}, host: Partial<ServiceHost<ImagesOptions>> = {}): Promise<Bench> {
  const cacheDirectory = await temporaryDirectory();
  const warnings: string[] = [];
  const log: Logger = { ...silentLogger, warn: (_facts, message) => warnings.push(message), child: () => log };
  const config = imagesConfig.parse({ cache_directory: cacheDirectory, timeout: 0.5, ...settings });
  const images = await openImages({ config, log, stateDirectory: '/nonexistent', ...host }, 1);
  onTestFinished(() => images.close());
  return { images, cacheDirectory, warnings };
}

export function taskOf(node: Partial<Node> = {}, signal = AbortSignal.timeout(8000)): Task {
  return createTask({ node: createNode(node), signal });
}

export const urlImage = (url: string): ImageReference => ({ kind: 'url', url });

/** The content of an image as the service gives it. */
export async function read({ images }: Bench, reference: ImageReference, task = taskOf()): Promise<string> {
  return images.withFile(reference, task, (path) => readFile(path, 'utf8'));
}

/** Names in the cache directory. */
export async function namesIn({ cacheDirectory }: Bench): Promise<readonly string[]> {
  return readdir(cacheDirectory);
}
