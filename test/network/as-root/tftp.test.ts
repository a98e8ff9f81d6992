import { SecretText } from '@ironbark/core';
import { DhcpServer, TftpServer, type LabNetwork } from '@ironbark/lab/network';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { openSegmentNetboot, startSegment, type Segment } from '../segment.ts';

const nodeUuid = '1be26c0b-03f2-4d2e-ae87-c02d7f33c123';

/** @returns what the TFTP server of the network has at the path; undefined when it refuses. */
async function fetchFile({ address }: LabNetwork, path: string): Promise<string | undefined> {
  const args = ['--silent', '--max-time', '10', `tftp://${address}/${path}`];
  const { exitCode, stdout } = await execa('curl', args, { reject: false });
  return exitCode === 0 ? stdout : undefined;
}

/** A shared file, a node's file and a link to it, with the modes that the conductor gives them. @returns the TFTP root. */
async function publishFiles(segment: Segment): Promise<string> {
  const { tree } = await openSegmentNetboot(segment);
  await tree.writeShared({ root: 'tftp', path: 'grub/grub.cfg', content: new SecretText(['shared']) });
  const file = { root: 'tftp', path: `${nodeUuid}/config`, content: new SecretText(['of the node']) } as const;
  const link = { root: 'tftp', path: 'grub/grub.cfg-01-52-54-00-00-00-01', target: file.path } as const;
  await tree.write(nodeUuid, [file], [link]);
  return tree.directory('tftp');
}

async function expectFilesToBeServed(network: LabNetwork): Promise<void> {
  expect(await fetchFile(network, 'grub/grub.cfg')).toBe('shared');
  expect(await fetchFile(network, `${nodeUuid}/config`)).toBe('of the node');
  expect(await fetchFile(network, 'grub/grub.cfg-01-52-54-00-00-00-01')).toBe('of the node');
  expect(await fetchFile(network, 'grub/grub.cfg-01-52-54-00-00-00-02')).toBeUndefined();
}

it('dnsmasq, under the account of its package, serves the files that the conductor publishes', async () => {
  const segment = await startSegment();
  await publishFiles(segment);
  const account = { user: 'dnsmasq', group: 'nogroup' };
  const configurationFiles = [`${segment.directory}/dhcp/ironbark.conf`];
  await using server = await DhcpServer.start({ ...segment, account, configurationFiles });
  await expectFilesToBeServed(segment.network);
  expect(await server.log()).toContain(`sent ${segment.directory}/tftp/grub/grub.cfg to ${segment.network.address}`);
});

it('tftpd-hpa, as its package runs it, serves the files that the conductor publishes', async () => {
  const segment = await startSegment();
  const root = await publishFiles(segment);
  await using server = await TftpServer.start({ ...segment, root });
  await expectFilesToBeServed(segment.network);
  expect(server.pid).toBeGreaterThan(1);
});
