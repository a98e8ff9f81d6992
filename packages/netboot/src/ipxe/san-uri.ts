import { isHost, isIscsiName, type IscsiPath } from '@ironbark/core';
import { inexpressible, ipxeWord } from './ipxe-value.ts';

/**
 * Writes one path to a volume as iPXE's SAN URI (RFC 4173 section 5): `iscsi:<host>::<port>:<LUN>:<target name>`. The protocol stays
 * empty, the LUN is hexadecimal without a prefix, IPv6 addresses are in brackets.
 * @param where names the volume in errors.
 * @throws INVALID_PARAMETER for a part that would be read as something else.
 */
export function sanUri(path: IscsiPath, where: string): string {
  const { host, port } = path.portal;
  if (!isHost(host)) throw inexpressible(`target_portal of ${where}`, 'holds no host name or address');
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw inexpressible(`target_portal of ${where}`, 'holds no TCP port');
  if (!Number.isInteger(path.lun) || path.lun < 0 || path.lun > 0xff_ff) {
    throw inexpressible(`target_lun of ${where}`, 'is no number from 0 to 65535');
  }
  if (!isIscsiName(path.iqn)) throw inexpressible(`target_iqn of ${where}`, 'is no iSCSI name');
  const server = host.includes(':') ? `[${host}]` : host;
  return ipxeWord(`iscsi:${server}::${port}:${path.lun.toString(16)}:${path.iqn}`, `target_iqn of ${where}`);
}
