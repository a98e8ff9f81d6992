import { writeFile } from 'node:fs/promises';
import { run } from '../child-process.ts';

/** Where Debian's grub-pc-bin and grub-efi-amd64-bin put GRUB. */
export const grubDirectories = { bios: '/usr/lib/grub/i386-pc', uefi: '/usr/lib/grub/x86_64-efi' };

const platforms = {
  'i386-pc': grubDirectories.bios,
  'i386-pc-eltorito': grubDirectories.bios,
  'x86_64-efi': grubDirectories.uefi,
};

export interface GrubImage {
  readonly platform: keyof typeof platforms;
  readonly prefix: string;
  readonly modules: readonly string[];
  /** What GRUB does instead of reading a file below its prefix. */
  readonly script?: string;
}

/** Makes a GRUB that brings its modules with it. @throws LAB_COMMAND_FAILED */
export async function makeGrub(path: string, { platform, prefix, modules, script }: GrubImage): Promise<void> {
  const scriptPath = `${path}.cfg`;
  if (script !== undefined) await writeFile(scriptPath, script);
  const embedded = script === undefined ? [] : ['-c', scriptPath];
  const options = ['-O', platform, '-d', platforms[platform], '-o', path, '-p', prefix, ...embedded];
  await run('grub-mkimage', [...options, ...modules]);
}
