import { basename, isAbsolute } from 'node:path';
import { z } from 'zod';
import { isSharedPath } from '../files/boot-path.ts';

/** Kinds of machines by the boot loader that they can run. */
export const loaderArchitectures = ['bios', 'uefi-x86_64', 'uefi-arm64'] as const;
export type LoaderArchitecture = (typeof loaderArchitectures)[number];

/** A boot loader per architecture: its path in the roots, or the absolute path of a file that is copied there under its own name. */
export type LoaderSettings = Partial<Readonly<Record<LoaderArchitecture, string>>>;

/** Path of a loader in the roots. */
export function loaderName(setting: string): string {
  return isAbsolute(setting) ? basename(setting) : setting;
}

const loader = z
  .string()
  .refine((setting) => !/\0|\/$/.test(setting) && isSharedPath(loaderName(setting)), {
    message: 'must be a path in tftp_root or an absolute path, of letters, digits, ".", "_", ":" and "-"',
  })
  .refine((setting) => Buffer.byteLength(loaderName(setting)) <= 127, {
    message: 'must be at most 127 bytes long, which is what a DHCP answer has room for',
  });

/** Schema of the setting `loaders` of a boot driver. Null takes a default away. */
export function loadersConfig(defaults: LoaderSettings) {
  const shape = Object.fromEntries(
    loaderArchitectures.map((architecture) => {
      return [architecture, loader.nullable().default(defaults[architecture] ?? null)];
    }),
  ) as Record<LoaderArchitecture, z.ZodDefault<z.ZodNullable<typeof loader>>>;
  return z
    .strictObject(shape)
    .prefault({})
    .refine((loaders) => hasDistinctNames(Object.values(loaders)), 'two different files must not have the same name')
    .transform((loaders): LoaderSettings => {
      return Object.fromEntries(Object.entries(loaders).filter(([, setting]) => setting !== null));
    });
}

function hasDistinctNames(settings: readonly (string | null)[]): boolean {
  const given = new Set(settings.filter((setting) => setting !== null));
  return new Set([...given].map(loaderName)).size === given.size;
}
