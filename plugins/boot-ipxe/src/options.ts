import {
  appendParamsSetting,
  kernelParameters,
  loadersConfig,
  type LoaderSettings,
  type NodeScriptOptions,
} from '@ironbark/netboot';
import { z } from 'zod';

export interface IpxeOptions {
  readonly script: NodeScriptOptions;
  /** Kernel and ramdisk of the `deploy` entry; undefined: no such entry. */
  readonly deployRamdisk: { readonly kernelUrl: string; readonly ramdiskUrl: string } | undefined;
  /** Parameters for every kernel, one entry each. */
  readonly kernelAppendParams: readonly string[];
  readonly loaders: LoaderSettings;
}

const bootUrl = z.url({ protocol: /^(https?|ftp|tftp|nfs)$/ });
const seconds = z.int().min(1).max(3600);

/** Section `ipxe` of the settings. */
export const ipxeConfig = z
  .strictObject({
    attempts: z
      .int()
      .min(1)
      .max(100)
      .default(5)
      .describe('How often a machine tries to boot before it reports a failure.'),
    retry_delay: seconds
      .default(5)
      .describe('Seconds before the second attempt; each further wait is longer by as much.'),
    reboot_delay: seconds.default(60).describe('Seconds between the report and the restart of the machine.'),
    download_timeout: seconds
      .default(60)
      .describe('Seconds without progress after which the download of a kernel or ramdisk has failed.'),
    ibft_targets: z
      .int()
      .min(1)
      .max(16)
      .default(2)
      .describe('Targets that the operating systems accept in the iBFT, one for each path of a volume. Linux: 2.'),
    multipath: z
      .boolean()
      .default(false)
      .describe(
        'Whether all paths of a volume are connected and announced together. Only for operating systems that boot when one of them is dead; otherwise paths are tried one by one.',
      ),
    deploy_kernel: bootUrl.optional().describe('Kernel of the deploy ramdisk.'),
    deploy_ramdisk: bootUrl.optional().describe('Initial ramdisk of the deploy ramdisk.'),
    kernel_append_params: appendParamsSetting((parameters) => void kernelParameters(parameters)),
    loaders: loadersConfig({ bios: 'undionly.kpxe', 'uefi-x86_64': 'snponly.efi' }).describe(
      'iPXE for firmware that does not have it: a path in tftp_root, or an absolute path of a file that is copied into both roots; null for none.',
    ),
  })
  .refine((section) => (section.deploy_kernel === undefined) === (section.deploy_ramdisk === undefined), {
    message: 'deploy_kernel and deploy_ramdisk go together: give both or neither',
    path: ['deploy_ramdisk'],
  })
  .prefault({})
  .transform((section): IpxeOptions => {
    const { deploy_kernel: kernelUrl, deploy_ramdisk: ramdiskUrl } = section;
    return {
      script: {
        attempts: section.attempts,
        delaySeconds: section.retry_delay,
        rebootDelaySeconds: section.reboot_delay,
        downloadTimeoutSeconds: section.download_timeout,
        ibftTargets: section.ibft_targets,
        multipath: section.multipath,
      },
      deployRamdisk: kernelUrl === undefined || ramdiskUrl === undefined ? undefined : { kernelUrl, ramdiskUrl },
      kernelAppendParams: section.kernel_append_params,
      loaders: section.loaders,
    };
  });
