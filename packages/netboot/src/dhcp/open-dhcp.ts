import type { DhcpOptions } from './dhcp-options.ts';
import type { DhcpProvider } from './dhcp-provider.ts';
import { DnsmasqProvider } from './dnsmasq-provider.ts';

export interface DhcpSurroundings {
  readonly tftpRoot: string;
  readonly dryRun: boolean;
}

/** @returns null when somebody else configures the DHCP server. @throws CONFIG_INVALID when its directory cannot be written. */
export async function openDhcp(
  options: DhcpOptions,
  { tftpRoot, dryRun }: DhcpSurroundings,
): Promise<DhcpProvider | null> {
  if (options.provider === 'none') return null;
  const provider = new DnsmasqProvider(options, tftpRoot);
  if (!dryRun) await provider.prepare();
  return provider;
}
