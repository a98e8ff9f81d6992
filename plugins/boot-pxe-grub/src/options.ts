import {
  appendParamsSetting,
  grubKernelArguments,
  loadersConfig,
  type GrubOptions,
  type LoaderSettings,
} from '@ironbark/netboot';
import { z } from 'zod';

export interface GrubSettings {
  readonly menu: GrubOptions;
  /** How GRUB fetches kernels and ramdisks; its configuration always comes by TFTP. */
  readonly kernelTransport: 'tftp' | 'http';
  /** Parameters for every kernel, one entry each. */
  readonly kernelAppendParams: readonly string[];
  readonly loaders: LoaderSettings;
}

/** Section `grub` of the settings. */
export const grubConfig = z
  .strictObject({
    kernel_transport: z
      .enum(['tftp', 'http'])
      .default('tftp')
      .describe('How GRUB fetches kernels and ramdisks. For http the URL of the boot files must begin with http:.'),
    kernel_append_params: appendParamsSetting((parameters) => void grubKernelArguments(parameters)),
    menu_timeout: z.int().min(0).max(300).default(3).describe('Seconds that the menu waits before it boots.'),
    reboot_delay: z
      .int()
      .min(1)
      .max(3600)
      .default(60)
      .describe('Seconds before a machine restarts that could not fetch its files or that nobody knows.'),
    loaders: loadersConfig({ 'uefi-x86_64': 'grubx64.efi', 'uefi-arm64': 'grubaa64.efi' })
      .refine((loaders) => loaders.bios === undefined, {
        message: 'machines in legacy BIOS mode are not booted with GRUB',
        path: ['bios'],
      })
      .describe(
        "GRUB's image for network boot: a path in tftp_root, or an absolute path of a file that is copied there; null for none.",
      ),
  })
  .prefault({})
  .transform((section): GrubSettings => {
    return {
      menu: { menuTimeoutSeconds: section.menu_timeout, rebootDelaySeconds: section.reboot_delay },
      kernelTransport: section.kernel_transport,
      kernelAppendParams: section.kernel_append_params,
      loaders: section.loaders,
    };
  });
