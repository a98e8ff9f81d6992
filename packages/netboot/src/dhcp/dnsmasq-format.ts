import { createHash } from 'node:crypto';
import { dhcpClients, invalidParameter, type DhcpBoot, type DhcpClient } from '@ironbark/core';

/** Client system architectures (option 93) of the IANA registry, by the client that they make. */
const architectures: Readonly<Record<Exclude<DhcpClient, 'ipxe'>, readonly number[]>> = {
  bios: [0],
  // 9 is what firmware sends that was written before erratum 4578 swapped the numbers.
  'uefi-x86_64': [7, 9],
  'uefi-arm64': [11],
  'http-x86_64': [16],
  'http-arm64': [19],
};

/** iPXE's own encapsulated options. */
const ipxeOption = 175;

/** Tag of every network card that we know. */
const knownTag = 'ironbark';
/** Tag of a network card that is not to boot by us any more. */
const goneTag = 'ironbark-gone';

const macAddress = /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/;
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** What reaches a machine as it is written: no separators, quotes, comments or blanks. */
const bootFile = /^[A-Za-z0-9][A-Za-z0-9._:/@%?=&+~[\]-]{0,254}$/;

export interface StaticOptions {
  readonly hostsDirectory: string;
  readonly optionsDirectory: string;
  /** Null: dnsmasq serves no TFTP. */
  readonly tftpRoot: string | null;
}

/**
 * The part of dnsmasq's configuration that is the same for all machines: which client asks, as one tag for each that excludes the
 * others, and where the files of the network cards are.
 */
export function renderStaticConfiguration({ hostsDirectory, optionsDirectory, tftpRoot }: StaticOptions): string {
  const firmware = Object.entries(architectures);
  return lines([
    '# Written by Ironbark at every start. Include it with conf-file=; changes here are lost.',
    `dhcp-match=set:${clientTag('ipxe')},${ipxeOption}`,
    `dhcp-userclass=set:${clientTag('ipxe')},iPXE`,
    ...firmware.flatMap(([client, numbers]) => {
      return numbers.map((number) => `dhcp-match=set:ironbark-arch-${client},option:client-arch,${number}`);
    }),
    // iPXE says the architecture that it runs on, too.
    ...firmware.map(
      ([client]) => `tag-if=set:${clientTag(client)},tag:ironbark-arch-${client},tag:!${clientTag('ipxe')}`,
    ),
    // UEFI HTTP boot takes only an answer with this vendor class (UEFI specification, section 24.7).
    ...firmware
      .filter(([client]) => client.startsWith('http-'))
      .map(([client]) => `dhcp-option-force=tag:${knownTag},tag:${clientTag(client)},option:vendor-class,HTTPClient`),
    `dhcp-hostsdir=${hostsDirectory}`,
    `dhcp-optsdir=${optionsDirectory}`,
    ...(tftpRoot === null ? [] : ['enable-tftp', `tftp-root=${tftpRoot}`]),
  ]);
}

export interface CardFiles {
  /** Line for dhcp-hostsdir. */
  readonly host: string;
  /** Lines for dhcp-optsdir. */
  readonly options: string;
}

/**
 * What dnsmasq reads about one network card. It keeps every option that it has ever read until it is restarted, and of several lines
 * about a card it takes the newest: so the options go by a tag that is made of their text, and the card by that tag.
 * @throws INVALID_PARAMETER for an address or a boot file that cannot be written.
 */
export function renderCard(nodeUuid: string, entry: DhcpBoot, tftpServer: string | null): CardFiles {
  checkCard(entry);
  const owner = ownerLine(nodeUuid, entry);
  const files = dhcpClients.flatMap((client) => {
    const file = entry.bootFiles[client];
    return file === undefined ? [] : [[client, checkBootFile(client, file)] as const];
  });
  const digest = createHash('sha256').update(JSON.stringify([entry.macAddress, tftpServer, files]));
  const tag = `${knownTag}-${digest.digest('hex').slice(0, 16)}`;
  const server = tftpServer === null ? [] : [`server-ip-address,${tftpServer}`, `tftp-server,${tftpServer}`];
  return {
    host: lines([owner, `${entry.macAddress},set:${knownTag},set:${tag}`]),
    options: lines([
      owner,
      ...files.map(([client, file]) => `tag:${tag},tag:${clientTag(client)},option:bootfile-name,${file}`),
      ...server.map((option) => `tag:${tag},option:${option}`),
    ]),
  };
}

/** Replaces what dnsmasq knows of a card; without it the old line would be in force until dnsmasq is restarted. */
export function renderGone(address: string): string {
  return lines(['# gone', `${address},set:${goneTag}`]);
}

/** The first line of both files: a card that moved to another port, or whose port moved to another node, is not ours to remove. */
export function ownerLine(nodeUuid: string, { portUuid }: Pick<DhcpBoot, 'portUuid'>): string {
  if (!uuid.test(nodeUuid)) throw invalidParameter(`${JSON.stringify(nodeUuid)} is no uuid of a node.`);
  return `# port ${portUuid} of node ${nodeUuid}`;
}

/** @throws INVALID_PARAMETER naming the port. */
export function checkCard({ portUuid, macAddress: address }: Pick<DhcpBoot, 'portUuid' | 'macAddress'>): void {
  if (!uuid.test(portUuid)) throw invalidParameter(`${JSON.stringify(portUuid)} is no uuid of a port.`);
  if (macAddress.test(address)) return;
  throw invalidParameter(`The address of port ${portUuid} is ${JSON.stringify(address)}, which is no MAC address.`, {
    hint: 'Write it in lower case with colons, for example 52:54:00:12:34:56.',
  });
}

function checkBootFile(client: DhcpClient, file: string): string {
  if (bootFile.test(file)) return file;
  throw invalidParameter(`The boot file ${JSON.stringify(file)} for ${client} cannot be written for dnsmasq.`, {
    hint: 'Use letters, digits and the characters ._:/@%?=&+~[]- only, at most 255 bytes.',
  });
}

function clientTag(client: string): string {
  return `ironbark-${client}`;
}

function lines(all: readonly string[]): string {
  return all.map((line) => `${line}\n`).join('');
}
