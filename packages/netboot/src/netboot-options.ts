import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { dhcpConfig, type DhcpOptions } from './dhcp/dhcp-options.ts';
import type { ListenAddress } from './http/http-file-server.ts';

export interface NetbootOptions {
  /** Absolute; undefined: a directory of the service's own. */
  readonly httpRoot: string | undefined;
  readonly tftpRoot: string | undefined;
  /** Without a slash at its end. */
  readonly httpUrl: string | undefined;
  /** Undefined: another web server serves the HTTP root. */
  readonly listen: ListenAddress | undefined;
  /** Modes of the nodes' files. */
  readonly fileModes: Readonly<Record<'http' | 'tftp', number>>;
  readonly dhcp: DhcpOptions;
}

const directory = z.string().refine((path) => isAbsolute(path) && !path.includes('\0'), 'must be an absolute path');

const mode = z.string().regex(/^0?[46][0-7]{2}$/);

const baseUrl = z
  .string()
  .refine((text) => isBaseUrl(text), 'must be a http or https URL without credentials, query or fragment');

function isBaseUrl(text: string): boolean {
  if (!URL.canParse(text) || /[\s?#\\]/.test(text)) return false;
  const { protocol, username, password } = new URL(text);
  return ['http:', 'https:'].includes(protocol) && username === '' && password === '';
}

/** Section `netboot` of the settings. */
export const netbootConfig = z
  .strictObject({
    http_root: directory
      .optional()
      .describe('Directory of the boot files that machines fetch by HTTP. Default: in the state directory.'),
    tftp_root: directory
      .optional()
      .describe('Directory of the boot files that machines fetch by TFTP. Default: in the state directory.'),
    http_url: baseUrl
      .optional()
      .describe('URL under which machines reach http_root. Default: the address of listen, if it names one.'),
    listen: z
      .strictObject({
        host: z.string().min(1).describe('Address of an interface of this host, or 0.0.0.0 or :: for all of them.'),
        port: z.int().min(0).max(65_535).describe('TCP port; 0 for any free one.'),
      })
      .optional()
      .describe('Where the conductor itself serves http_root. Default: nowhere; any web server may serve it.'),
    file_mode: mode
      .default('0640')
      .describe('Mode of the files of nodes in http_root, octal. They may hold CHAP credentials.'),
    tftp_file_mode: mode
      .default('0644')
      .describe('Mode of the files of nodes in tftp_root, octal. TFTP servers hand out what everybody may read.'),
    dhcp: dhcpConfig,
  })
  .prefault({})
  .transform((section): NetbootOptions => {
    return {
      httpRoot: section.http_root,
      tftpRoot: section.tftp_root,
      httpUrl: section.http_url?.replace(/\/+$/, ''),
      listen: section.listen,
      fileModes: {
        http: Number.parseInt(section.file_mode, 8),
        tftp: Number.parseInt(section.tftp_file_mode, 8),
      },
      dhcp: section.dhcp,
    };
  });
