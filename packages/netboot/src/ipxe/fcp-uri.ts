import type { FibreChannelPath } from '@ironbark/core';
import { inexpressible } from './ipxe-value.ts';

/**
 * Writes one path to a volume as iPXE's SAN URI (src/net/fcp.c): `fcp:<target WWPN>:<LUN>`, the WWPN as bytes with colons, the LUN as
 * the four 16-bit words of SAM-5 with dashes.
 * @param where names the volume in errors.
 * @throws INVALID_PARAMETER for a part that would be read as something else.
 */
export function fcpUri({ targetWwpn, lun }: FibreChannelPath, where: string): string {
  if (!/^[0-9a-f]{16}$/.test(targetWwpn)) throw inexpressible(`target_wwn of ${where}`, 'is no WWPN of 16 digits');
  if (!Number.isInteger(lun) || lun < 0 || lun > 0xff_ff) {
    throw inexpressible(`target_lun of ${where}`, 'is no number from 0 to 65535');
  }
  const bytes = targetWwpn.match(/../g) ?? [];
  return `fcp:${bytes.join(':')}:${lun.toString(16).padStart(4, '0')}-0000-0000-0000`;
}
