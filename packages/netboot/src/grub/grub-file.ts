import { isHost } from '@ironbark/core';
import { inexpressible } from './grub-value.ts';

/** Where GRUB fetches files from: the TFTP server that it was loaded from, or an HTTP server. */
export type GrubDevice = '(tftp)' | `(http,${string})${string}`;

export const tftpDevice: GrubDevice = '(tftp)';

/**
 * The device by which GRUB reaches an HTTP URL, with the URL's path.
 * @throws INVALID_PARAMETER for a URL that GRUB cannot fetch from: it knows neither https nor IPv6 addresses with a port.
 */
export function httpDevice(url: string): GrubDevice {
  const { protocol, hostname, port, pathname, search } = new URL(url);
  const field = 'URL of the boot files';
  if (protocol !== 'http:')
    throw inexpressible(field, 'does not begin with "http:", the only protocol of GRUB beside TFTP');
  if (!isHost(hostname)) throw inexpressible(field, 'names its host by something else than a name or an IPv4 address');
  if (!/^[\w./-]*$/.test(pathname) || search !== '')
    throw inexpressible(field, 'holds other characters than a path may');
  return `(http,${hostname}${port === '' ? '' : `:${port}`})${pathname.replace(/\/+$/, '')}`;
}
