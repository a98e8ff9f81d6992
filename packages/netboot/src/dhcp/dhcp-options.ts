import { z } from 'zod';

export type DhcpOptions = { readonly provider: 'none' } | DnsmasqOptions;

export interface DnsmasqOptions {
  readonly provider: 'dnsmasq';
  /** Absolute; dnsmasq reads it. */
  readonly directory: string;
  /** Whether dnsmasq serves the TFTP root. */
  readonly servesTftp: boolean;
  /** IPv4 address of the TFTP server; null: the host that answers. */
  readonly tftpServer: string | null;
}

const none = z.strictObject({
  provider: z.literal('none').describe('Somebody else tells machines by DHCP what to boot.'),
});

const dnsmasq = z
  .strictObject({
    provider: z.literal('dnsmasq').describe('Files for a dnsmasq on this host.'),
    directory: z
      .string()
      // dnsmasq's files have separators and comments, and no way to escape them.
      .regex(/^(?:\/[A-Za-z0-9._-]+)+$/, 'must be an absolute path of letters, digits, ".", "_" and "-"')
      .describe('Directory for ironbark.conf, hosts and options, which dnsmasq has to be able to read.'),
    serve_tftp: z.boolean().default(true).describe('Whether dnsmasq serves tftp_root; false: another server does.'),
    tftp_server: z
      .ipv4()
      .optional()
      .describe('Address under which machines reach the TFTP server. Default: the address of dnsmasq.'),
  })
  .transform(({ provider, directory, serve_tftp: servesTftp, tftp_server: tftpServer = null }): DnsmasqOptions => {
    return { provider, directory, servesTftp, tftpServer };
  });

/** Setting `dhcp` of the section `netboot`. */
export const dhcpConfig = z.discriminatedUnion('provider', [none, dnsmasq]).default({ provider: 'none' });
