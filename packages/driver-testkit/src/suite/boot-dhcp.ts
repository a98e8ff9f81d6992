import assert from 'node:assert/strict';
import { dhcpClients, type BootArtifacts, type DhcpClient } from '@ironbark/core';
import { declaredBy, type BootBench, type BootContext } from './boot-harness.ts';
import { isInsideRoot } from './boot-render.ts';
import { requestOf } from './boot-sources.ts';

/** Tests of what an interface has a DHCP server say, for every source that it declares. */
export function describeDhcp({ runner: { describe, it }, use }: BootContext): void {
  const useRendered = (body: (artifacts: BootArtifacts, bench: BootBench) => void) =>
    use(async (bench) => {
      for (const source of [...declaredBy(bench), { kind: 'local_disk' } as const]) {
        body(bench.driver.render(bench.task(), requestOf(source)), bench);
      }
      await Promise.resolve();
    });

  describe('DHCP', () => {
    it("names network cards of the node's own ports, each once", () =>
      useRendered(({ dhcp = [] }, bench) => {
        const ports = new Map(bench.records().ports.map(({ uuid, address }) => [uuid, address.toLowerCase()]));
        for (const { portUuid, macAddress } of dhcp) {
          assert.equal(macAddress, ports.get(portUuid), `${macAddress} is not the address of port ${portUuid}`);
        }
        const uuids = dhcp.map(({ portUuid }) => portUuid);
        assert.deepEqual([...new Set(uuids)], uuids, 'a port is named twice');
      }));

    it('gives boot files that are paths in the TFTP root or URLs, and to HTTP clients only the latter', () =>
      useRendered(({ dhcp = [] }) => {
        for (const [client, file] of dhcp.flatMap(({ bootFiles }) => Object.entries(bootFiles))) {
          assert.ok(
            dhcpClients.some((known) => known === client),
            `${client} is no DHCP client`,
          );
          const isUrl = URL.canParse(file) && /^https?:\/\/[^\s\\]+$/.test(file);
          assert.ok(
            isUrl || (!client.startsWith('http-') && isTftpPath(file)),
            `${JSON.stringify(file)} is no boot file for ${client}`,
          );
        }
      }));

    it('gives nothing to a legacy BIOS when the interface is for UEFI only', () =>
      useRendered(({ dhcp = [] }, { driver }) => {
        if (!driver.capabilities?.includes('uefi_only')) return;
        const bios: DhcpClient = 'bios';
        assert.ok(!dhcp.some(({ bootFiles }) => bios in bootFiles), 'a boot file for bios is given');
      }));
  });
}

/** What firmware and DHCP servers take without quoting. */
function isTftpPath(file: string): boolean {
  return isInsideRoot(file) && /^[\w./:+-]+$/.test(file) && !URL.canParse(file);
}
