import {
  decideBootSource,
  initiatorOf,
  missingParameter,
  type BootArtifacts,
  type BootInterface,
  type BootLink,
  type BootRequest,
  type Port,
  type RamdiskBoot,
  type Task,
} from '@ironbark/core';
import { renderNodeScript, type Netboot } from '@ironbark/netboot';
import { isSameLink, linksFromJournal, linksOfPort, linksToJournal, scriptPath } from './boot-links.ts';
import type { IpxeOptions } from './options.ts';

/** Key of the journal under which the links are noted that exist or are about to be made. */
const linksKey = 'links';

/** Parameters that deploy ramdisks get first, as with Ironic. */
const ramdiskParameters = ['selinux=0', 'troubleshoot=0', 'text'];

/** Boots machines over the network with iPXE: one script per node, found by the MAC addresses of its PXE-enabled ports. */
export class IpxeBoot implements BootInterface {
  readonly capabilities = ['iscsi_volume_boot', 'ipxe_boot', 'pxe_boot', 'ramdisk_boot'] as const;
  readonly #netboot: Netboot;
  readonly #options: IpxeOptions;

  constructor(netboot: Netboot, options: IpxeOptions) {
    this.#netboot = netboot;
    this.#options = options;
  }

  /**
   * Needs a PXE-enabled port and the URL of the boot files; renders what is known of the node's volumes, so that a value that does
   * not fit into a script is refused before anything is attached.
   */
  async validate(task: Task): Promise<readonly string[]> {
    if (this.#netboot.httpUrl === null) {
      throw missingParameter('The URL of the boot files is not known.', {
        hint: 'Set settings.netboot.http_url to the URL under which machines reach the HTTP root.',
      });
    }
    linksOf(pxePorts(task));
    const { storage } = task.driver;
    if (storage.shouldWriteImage(task)) return [];
    const { volumes } = await storage.plan(task.forInterface('storage'));
    const source = decideBootSource({
      node: task.node,
      initiator: initiatorOf(task.volumeConnectors),
      volumes,
      writesImage: false,
    });
    return this.render(task, { source, reportUrl: null }).warnings;
  }

  render(task: Task, request: BootRequest): BootArtifacts {
    const { source, reportUrl } = request;
    const { script, deployRamdisk } = this.#options;
    const isLocal = source.kind === 'local_disk' || source.kind === 'hba';
    const { content, warnings } = renderNodeScript(
      {
        source: source.kind === 'ramdisk' ? this.#withParameters(source) : source,
        reportUrl,
        ramdisk: deployRamdisk && this.#withParameters({ kind: 'ramdisk', ...deployRamdisk, parameters: [] }),
      },
      script,
    );
    return {
      files: [{ root: 'http', path: scriptPath(task.node.uuid), content }],
      links: linksOf(pxePorts(task)),
      bootDevice: isLocal ? 'disk' : 'pxe',
      warnings,
    };
  }

  async apply(task: Task, artifacts: BootArtifacts): Promise<void> {
    task.signal.throwIfAborted();
    const { files, links } = artifacts;
    const noted = linksFromJournal(await task.journal.get(linksKey));
    const stale = without(noted, links);
    // Noted before they are made: the link of a port that is deleted meanwhile is still found.
    const all = [...links, ...stale];
    if (all.length !== noted.length) await task.journal.put(linksKey, linksToJournal(all));
    await this.#netboot.tree.write(task.node.uuid, files, links);
    if (stale.length === 0) return;
    await this.#netboot.tree.removeLinks(task.node.uuid, stale);
    await task.journal.put(linksKey, linksToJournal(links));
  }

  async cleanUp(task: Task): Promise<void> {
    task.signal.throwIfAborted();
    const noted = linksFromJournal(await task.journal.get(linksKey));
    await this.#netboot.tree.remove(task.node.uuid, noted);
    await task.journal.delete(linksKey);
  }

  #withParameters(source: RamdiskBoot): RamdiskBoot {
    return { ...source, parameters: [...ramdiskParameters, ...this.#options.kernelAppendParams, ...source.parameters] };
  }
}

function pxePorts(task: Task): readonly Port[] {
  const ports = task.ports.filter((port) => port.pxeEnabled);
  if (ports.length > 0) return ports;
  throw missingParameter(`Node ${task.node.uuid} has no port with PXE enabled.`, {
    hint: 'Create one with: openstack baremetal port create --node <node> <MAC address>.',
  });
}

function linksOf(ports: readonly Port[]): readonly BootLink[] {
  return ports.flatMap(linksOfPort);
}

function without(links: readonly BootLink[], removed: readonly BootLink[]): readonly BootLink[] {
  return links.filter((link) => !removed.some((other) => isSameLink(link, other)));
}
