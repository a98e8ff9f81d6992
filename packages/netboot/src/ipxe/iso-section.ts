import { fetchable } from './fetchable.ts';
import { retryLines, type RetryOptions } from './retry.ts';
import { driveNumber } from './san-drive.ts';
import type { Line } from './script-text.ts';

/** An ISO image at a URL. */
export interface IsoEntry {
  readonly kind: 'iso';
  readonly url: string;
}

/**
 * Renders the labels `boot_iso` and `retry_iso`: the firmware sees the image as a drive and starts its boot catalogue (El Torito). It is
 * read over the network as long as the boot loader uses the firmware; the operating system does not see it.
 */
export function isoSection({ url }: IsoEntry, { delaySeconds }: RetryOptions): readonly (readonly Line[])[] {
  const main: Line[] = [
    ':boot_iso',
    'inc i',
    'imgfree',
    'set keep-san 0',
    // There is no firmware table for images that are reached by HTTP.
    `sanboot --no-describe --drive ${driveNumber(0)} ${fetchable(url, 'URL of the ISO image')} || goto fail_iso`,
    ':fail_iso',
    'set failure ${errno}',
    `sanunhook --drive ${driveNumber(0)} ||`,
  ];
  return [
    main,
    retryLines({ label: 'retry_iso', entry: 'boot_iso', failed: 'Failed to boot the ISO image', delaySeconds }),
  ];
}
