import { join } from 'node:path';
import { defineService, type ServiceHost } from '@ironbark/core';
import { HttpClient } from '@ironbark/http';
import { createImageCatalogue, Session } from '@ironbark/openstack';
import { ImageCache } from './cache/image-cache.ts';
import { ImageLibrary } from './image-library.ts';
import type { Images } from './images.ts';
import { imagesConfig, type ImagesOptions } from './images-options.ts';
import { urlVoice } from './origin/url-voice.ts';

const connectTimeoutMs = 10_000;
const attempts = 4;
const maxConnections = 16;
const idleConnectionMs = 4_000;
/** Of a refusal; images are not replies. */
const maxReplyBytes = 64 * 1024;

/**
 * @param retryIntervalMs pause before an image server is asked once more; each further one is twice as long.
 * @throws CONFIG_INVALID when the cache cannot be used.
 */
export async function openImages(host: ServiceHost<ImagesOptions>, retryIntervalMs = 500): Promise<Images> {
  const { config, stateDirectory, log } = host;
  const directory = config.cacheDirectory ?? join(stateDirectory, 'cache');
  const cache =
    host.dryRun === true ? undefined : await ImageCache.open({ directory, sizeBytes: config.cacheSizeBytes, log });
  const { timeoutMs, verifyCa } = config;
  const http = new HttpClient({
    patience: {
      connectTimeoutMs: Math.min(connectTimeoutMs, timeoutMs),
      requestTimeoutMs: timeoutMs,
      attempts,
      retryIntervalMs,
    },
    verifyCa,
    maxConnections,
    idleConnectionMs,
    maxReplyBytes,
    voice: urlVoice(log),
  });
  const session = config.glance && new Session(config.glance.session, { log, settings: 'settings.images.glance' });
  if (verifyCa === false) {
    log.warn(
      {},
      'TLS certificates of image servers are not verified: whoever is between can replace what machines boot.',
    );
  }
  return new ImageLibrary({
    cache,
    catalogue: config.glance && session && createImageCatalogue(session, config.glance),
    http,
    fileDirectories: config.fileDirectories,
    log,
    close: async () => {
      await http.close();
      await session?.close();
    },
  });
}

/** The service `images`; its settings are the section of that name. */
export const imageService = defineService<Images, ImagesOptions>({
  name: 'images',
  config: imagesConfig,
  create: (host) => openImages(host),
  dispose: (images) => images.close(),
});
