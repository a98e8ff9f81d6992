import { isAbsolute } from 'node:path';
import {
  openStackSettings,
  readOpenStackSettings,
  type EndpointOptions,
  type SessionOptions,
} from '@ironbark/openstack';
import { z } from 'zod';

export interface ImagesOptions {
  /** Absolute; undefined: a directory of the service's own. */
  readonly cacheDirectory: string | undefined;
  readonly cacheSizeBytes: number;
  /** Absolute; where `file://` images may be read. */
  readonly fileDirectories: readonly string[];
  /** Undefined: references to Glance are refused. */
  readonly glance: { readonly session: SessionOptions; readonly endpoint: EndpointOptions } | undefined;
  /** For the answer of a server, and for each further piece of an image. */
  readonly timeoutMs: number;
  /** Of servers beside Glance: true: by the CAs that Node trusts; a path: by this PEM file alone; false: not verified. */
  readonly verifyCa: boolean | string;
}

const absolutePath = z
  .string()
  .refine((path) => isAbsolute(path) && !path.includes('\0'), 'must be an absolute path without NUL');

const { timeout: _timeout, ...glance } = openStackSettings;

/** Section `images` of the settings. */
export const imagesConfig = z
  .strictObject({
    cache_directory: absolutePath
      .optional()
      .describe('Directory of the copies of images; of no other use. Default: in the state directory.'),
    cache_size_gib: z
      .number()
      .min(0.001)
      .max(1_048_576)
      .default(20)
      .describe('Size that the cache may have, in GiB. The copies that were not used for the longest time go first.'),
    file_directories: z
      .array(absolutePath)
      .default([])
      .describe('Directories on this host from which images may be read by file:// URLs. Default: none.'),
    glance: z
      .strictObject(glance)
      .optional()
      .describe('Keystone and Glance, where images are in Glance. Default: references to Glance are refused.'),
    timeout: z
      .number()
      .min(0.1)
      .max(3600)
      .default(60)
      .describe('Seconds without an answer, or without any further byte of an image.'),
    verify_ca: z
      .union([z.boolean(), absolutePath])
      .default(true)
      .describe(
        'Whether TLS certificates of image servers are verified; a path: by the CAs in this PEM file. Glance has cafile and insecure.',
      ),
  })
  .prefault({})
  .transform((section, context): ImagesOptions => {
    const { timeout } = section;
    const openStack =
      section.glance &&
      readOpenStackSettings(
        { ...section.glance, timeout },
        {
          usesKeystone: true,
          report: (issue) => context.addIssue({ ...issue, path: ['glance', ...issue.path] }),
        },
      );
    return {
      cacheDirectory: section.cache_directory,
      cacheSizeBytes: Math.floor(section.cache_size_gib * 2 ** 30),
      fileDirectories: section.file_directories,
      glance: openStack,
      timeoutMs: timeout * 1000,
      verifyCa: section.verify_ca,
    };
  });
