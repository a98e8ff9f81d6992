import {
  formatImageReference,
  invalidParameter,
  SecretText,
  type BootArtifacts,
  type BootRequest,
  type CapabilityTag,
  type DhcpBoot,
  type InstanceImage,
  type Task,
} from '@ironbark/core';
import { describe } from 'vitest';
import { describeBootDriver } from '../src/boot.ts';
import { MemoryBoot, type MemoryBootTree } from '../src/fakes.ts';
import { itFindsMutants } from './mutants.ts';
import { bootHarness, SystemsBoot } from './reference-harnesses.ts';

class WritesWhenRendering extends MemoryBoot {
  override render(task: Task, request: BootRequest): BootArtifacts {
    const artifacts = super.render(task, request);
    for (const file of artifacts.files) this.tree.files.set(`http/${file.path}`, file.content.reveal());
    return artifacts;
  }
}

class CountsRenderings extends MemoryBoot {
  #count = 0;
  override render(task: Task, request: BootRequest): BootArtifacts {
    const { files, ...rest } = super.render(task, request);
    this.#count += 1;
    const stamp = `# rendering ${this.#count}`;
    return { ...rest, files: files.map((file) => withContent(file, SecretText.join([stamp, file.content], '\n'))) };
  }
}

function withContent<File>(file: File, content: SecretText): File {
  return { ...file, content };
}

class SortsInPlace extends MemoryBoot {
  override render(task: Task, request: BootRequest): BootArtifacts {
    (task.ports as Task['ports'][number][]).reverse();
    return super.render(task, request);
  }
}

class RemovesNeighbours extends MemoryBoot {
  override async cleanUp(task: Task): Promise<void> {
    await super.cleanUp(task);
    this.tree.files.clear();
  }
}

class CleansUpByPorts extends MemoryBoot {
  override async cleanUp(task: Task): Promise<void> {
    const links = new Map(this.tree.links);
    await super.cleanUp(task);
    const macs = task.ports.map((port) => port.address.replaceAll(':', '-'));
    for (const [place, target] of links) {
      if (!macs.some((mac) => place.includes(mac))) this.tree.links.set(place, target);
    }
  }
}

class LeavesOldLinks extends MemoryBoot {
  override async apply(task: Task, artifacts: BootArtifacts): Promise<void> {
    const links = new Map(this.tree.links);
    await super.apply(task, artifacts);
    for (const [place, target] of links) this.tree.links.set(place, target);
  }
}

class AppendsToFiles extends MemoryBoot {
  override async apply(task: Task, artifacts: BootArtifacts): Promise<void> {
    const files = new Map(this.tree.files);
    await super.apply(task, artifacts);
    for (const [place, content] of this.tree.files) this.tree.files.set(place, `${files.get(place) ?? ''}${content}`);
  }
}

class WarnsWithPassword extends MemoryBoot {
  override render(task: Task, request: BootRequest): BootArtifacts {
    const artifacts = super.render(task, request);
    if (request.source.kind !== 'iscsi') return artifacts;
    const password = request.source.volume.connection.chap?.password.reveal();
    return { ...artifacts, warnings: [`CHAP password: ${password}`] };
  }
}

/** Takes the encoding out again: values may break lines. */
class WritesValuesRaw extends MemoryBoot {
  override render(task: Task, request: BootRequest): BootArtifacts {
    const { files, ...rest } = super.render(task, request);
    const raw = (text: string) => text.replaceAll('\\n', '\n').replaceAll('\\"', '"');
    return {
      ...rest,
      files: files.map((file) => withContent(file, new SecretText([raw(file.content.reveal())]))),
    };
  }
}

class NamesFilesAfterNodes extends MemoryBoot {
  override render(task: Task, request: BootRequest): BootArtifacts {
    const artifacts = super.render(task, request);
    const link = { root: 'http', path: `by-name/${task.node.name}`, target: artifacts.files[0]?.path ?? '' } as const;
    return { ...artifacts, links: [...artifacts.links, link] };
  }
}

class RendersUndeclared extends MemoryBoot {
  override readonly capabilities: readonly CapabilityTag[] = ['ramdisk_boot'];
}

class DeclaresTooMuch extends MemoryBoot {
  override readonly capabilities: readonly CapabilityTag[] = ['iscsi_volume_boot', 'fibre_channel_volume_boot'];
}

class KnowsOnePath extends MemoryBoot {
  override render(task: Task, request: BootRequest): BootArtifacts {
    if (request.source.kind !== 'iscsi') return super.render(task, request);
    const { volume } = request.source;
    const connection = { ...volume.connection, paths: volume.connection.paths.slice(0, 1) };
    return super.render(task, { ...request, source: { ...request.source, volume: { ...volume, connection } } });
  }
}

class ForgetsTheNetwork extends MemoryBoot {
  override render(task: Task, request: BootRequest): BootArtifacts {
    return { ...super.render(task, request), bootDevice: 'disk' };
  }
}

/** As drivers do whose format cannot express a text, but too late. */
class RefusesQuotesTooLate extends MemoryBoot {
  override render(task: Task, request: BootRequest): BootArtifacts {
    const { source } = request;
    if (source.kind === 'iscsi' && source.volume.connection.chap?.password.reveal().includes('"') === true) {
      throw invalidParameter('The auth_password holds a quote.');
    }
    return super.render(task, request);
  }
}

class NeverBootsTheDisk extends MemoryBoot {
  override render(task: Task, request: BootRequest): BootArtifacts {
    const artifacts = super.render(task, request);
    return request.source.kind === 'local_disk' ? { ...artifacts, bootDevice: 'pxe' } : artifacts;
  }
}

class IgnoresAbort extends MemoryBoot {
  override apply(task: Task, artifacts: BootArtifacts): Promise<void> {
    return super.apply({ ...task, signal: new AbortController().signal }, artifacts);
  }
}

class TruncatesFirst extends MemoryBoot {
  override async apply(task: Task, artifacts: BootArtifacts): Promise<void> {
    for (const file of artifacts.files) if (this.tree.isFull) this.tree.files.set(`http/${file.path}`, '');
    await super.apply(task, artifacts);
  }
}

class ForgetsImages extends MemoryBoot {
  override apply(task: Task, artifacts: BootArtifacts): Promise<void> {
    return super.apply(task, { ...artifacts, images: [] });
  }
}

class RendersNoImages extends SystemsBoot {
  override render(task: Task, request: BootRequest): BootArtifacts {
    return { ...super.render(task, request), images: [] };
  }
}

class LeavesImages extends MemoryBoot {
  override async cleanUp(task: Task): Promise<void> {
    const files = new Map(this.tree.files);
    await super.cleanUp(task);
    for (const [place, content] of files) if (place.endsWith('/kernel')) this.tree.files.set(place, content);
  }
}

class KeepsOldImages extends MemoryBoot {
  override async apply(task: Task, artifacts: BootArtifacts): Promise<void> {
    const files = new Map(this.tree.files);
    await super.apply(task, artifacts);
    for (const [place, content] of files) if (!this.tree.files.has(place)) this.tree.files.set(place, content);
  }
}

class ToleratesLostImages extends MemoryBoot {
  override async apply(task: Task, artifacts: BootArtifacts): Promise<void> {
    const images = artifacts.images?.filter(({ image }) => this.tree.images.has(formatImageReference(image))) ?? [];
    await super.apply(task, { ...artifacts, images });
  }
}

class PutsImagesOutside extends MemoryBoot {
  override render(task: Task, request: BootRequest): BootArtifacts {
    const { images = [], ...rest } = super.render(task, request);
    return { ...rest, images: images.map(({ root, path, image }) => ({ root, path: `../${path}`, image })) };
  }
}

class NamesImagesTwice extends MemoryBoot {
  override render(task: Task, request: BootRequest): BootArtifacts {
    const artifacts = super.render(task, request);
    const [file] = artifacts.files;
    if (file === undefined) return artifacts;
    return { ...artifacts, images: [{ root: file.root, path: file.path, image: { kind: 'glance', id: 'x' } }] };
  }
}

class ServesAdapters extends MemoryBoot {
  override render(task: Task, request: BootRequest): BootArtifacts {
    const isAdapter = request.source.kind === 'hba';
    return super.render(task, isAdapter ? { ...request, source: { kind: 'local_disk' } } : request);
  }
}

class AnswersStrangers extends MemoryBoot {
  override render(task: Task, request: BootRequest): BootArtifacts {
    const { dhcp = [], ...rest } = super.render(task, request);
    return {
      ...rest,
      dhcp: dhcp.map(({ portUuid, bootFiles }) => ({ portUuid, macAddress: '52:54:00:ff:ff:ff', bootFiles })),
    };
  }
}

function withBootFiles(dhcp: readonly DhcpBoot[], bootFiles: DhcpBoot['bootFiles']): readonly DhcpBoot[] {
  return dhcp.map(({ portUuid, macAddress }) => ({ portUuid, macAddress, bootFiles }));
}

class GivesBadBootFiles extends MemoryBoot {
  override render(task: Task, request: BootRequest): BootArtifacts {
    const { dhcp = [], ...rest } = super.render(task, request);
    return { ...rest, dhcp: withBootFiles(dhcp, { 'http-x86_64': 'loader.efi' }) };
  }
}

class ServesBios extends SystemsBoot {
  override render(task: Task, request: BootRequest): BootArtifacts {
    const { dhcp = [], ...rest } = super.render(task, request);
    return { ...rest, dhcp: withBootFiles(dhcp, { bios: 'loader.0' }) };
  }
}

class ForgetsRoot extends SystemsBoot {
  override render(task: Task, request: BootRequest): BootArtifacts {
    const { source } = request;
    if (source.kind !== 'iscsi' || source.system === null) return super.render(task, request);
    return super.render(task, { ...request, source: { ...source, system: { ...source.system, root: '' } } });
  }
}

class ReadsOtherKeys extends MemoryBoot {
  override describeImage(task: Task): Promise<InstanceImage> {
    const instanceInfo = { ...task.node.instanceInfo, boot_iso: null };
    return super.describeImage({ ...task, node: { ...task.node, instanceInfo } });
  }
}

class IgnoresBadReferences extends MemoryBoot {
  override async describeImage(task: Task): Promise<InstanceImage> {
    const nothing = { kernel: null, ramdisk: null, bootIso: null, root: null, initramfsType: null };
    return await super.describeImage(task).catch(() => nothing);
  }
}

class AppendsRawParameters extends MemoryBoot {
  override render(task: Task, request: BootRequest): BootArtifacts {
    const { files, ...rest } = super.render(task, request);
    const parameters = (task.node.driverInfo['kernel_append_params'] ?? '') as string;
    return {
      ...rest,
      files: files.map((file) => withContent(file, SecretText.join([parameters, file.content], '\n'))),
    };
  }
}

function mutant(fault: string, failsIn: string, make: (tree: MemoryBootTree) => MemoryBoot) {
  return { fault, failsIn, harness: bootHarness(make) };
}

describe('the boot suite', () => {
  itFindsMutants(describeBootDriver, [
    mutant('writes when it renders', 'render is pure > writes nothing', (tree) => new WritesWhenRendering(tree)),
    mutant(
      'renders something else every time',
      'render is pure > gives the same for the same input, whatever was rendered in between',
      (tree) => new CountsRenderings(tree),
    ),
    mutant(
      'changes its input',
      'render is pure > works on frozen records without the journal',
      (tree) => new SortsInPlace(tree),
    ),
    mutant('removes a neighbour', 'cleanUp > leaves another node alone', (tree) => new RemovesNeighbours(tree)),
    mutant(
      'cleans up after the ports of today only',
      'cleanUp > removes what belonged to a port that is gone',
      (tree) => new CleansUpByPorts(tree),
    ),
    mutant(
      'leaves the links of old ports',
      'apply > takes away what belonged to a port that is gone',
      (tree) => new LeavesOldLinks(tree),
    ),
    mutant('appends to files', 'apply > twice is the same as once', (tree) => new AppendsToFiles(tree)),
    mutant(
      'shows a password in a warning',
      'artifacts > show secrets in nothing but the revealed content of their files',
      (tree) => new WarnsWithPassword(tree),
    ),
    mutant(
      'lets a value break the line',
      'hostile values > in the CHAP password are refused by name or stay values',
      (tree) => new WritesValuesRaw(tree),
    ),
    mutant(
      'lets an NFS option break the line',
      'hostile values > in an NFS option are refused by name or stay values',
      (tree) => new WritesValuesRaw(tree),
    ),
    mutant(
      'makes a path of a node name',
      'hostile values > in the free text of a node change neither paths nor lines',
      (tree) => new NamesFilesAfterNodes(tree),
    ),
    mutant(
      'renders what it does not declare',
      'boot sources > renders the source of iscsi_volume_boot when that is declared, and refuses it by name when it is not',
      (tree) => new RendersUndeclared(tree),
    ),
    mutant(
      'declares what it does not render',
      'boot sources > renders the source of fibre_channel_volume_boot when that is declared, and refuses it by name when it is not',
      (tree) => new DeclaresTooMuch(tree),
    ),
    mutant(
      'knows one path only',
      'boot sources > tells an iSCSI machine its own name, every path and the credentials, when it writes files for it',
      (tree) => new KnowsOnePath(tree),
    ),
    mutant(
      'places no images',
      'images > of ramdisk_boot, when that is declared, are put where the artifacts say or are addresses in the files',
      (tree) => new ForgetsImages(tree),
    ),
    mutant(
      'says nothing about the images of a system',
      'images > of kernel_from_image, when that is declared, are put where the artifacts say or are addresses in the files',
      (tree) => new RendersNoImages(tree),
    ),
    mutant(
      'leaves images behind',
      'images > of nfs_volume_boot, when that is declared, are removed with what else the node has',
      (tree) => new LeavesImages(tree),
    ),
    mutant(
      'keeps the images of an earlier boot',
      'images > of iso_boot, when that is declared, are removed when the node boots from something else',
      (tree) => new KeepsOldImages(tree),
    ),
    mutant(
      'boots without an image that it could not get',
      'images > of ramdisk_boot, when that is declared, leave every file whole when one cannot be had',
      (tree) => new ToleratesLostImages(tree),
    ),
    mutant(
      'puts images outside of the root',
      'boot sources > renders the source of iso_boot when that is declared, and refuses it by name when it is not',
      (tree) => new PutsImagesOutside(tree),
    ),
    mutant(
      'puts an image where a file is',
      'artifacts > have paths inside their root, each once, and links that lead to a file of theirs',
      (tree) => new NamesImagesTwice(tree),
    ),
    mutant(
      'serves files to a machine that boots by its own adapter',
      'boot sources > renders nothing but the boot device for a machine whose own adapter finds the volume',
      (tree) => new ServesAdapters(tree),
    ),
    mutant(
      'tells DHCP of other network cards',
      "DHCP > names network cards of the node's own ports, each once",
      (tree) => new AnswersStrangers(tree),
    ),
    mutant(
      'gives a path to a client of HTTP boot',
      'DHCP > gives boot files that are paths in the TFTP root or URLs, and to HTTP clients only the latter',
      (tree) => new GivesBadBootFiles(tree),
    ),
    mutant(
      'serves a legacy BIOS although it is for UEFI only',
      'DHCP > gives nothing to a legacy BIOS when the interface is for UEFI only',
      (tree) => new ServesBios(tree),
    ),
    mutant(
      'forgets the root of a system',
      'boot sources > tells an iSCSI machine its own name, every path and the credentials, when it writes files for it',
      (tree) => new ForgetsRoot(tree),
    ),
    mutant(
      'does not read instance_info.boot_iso',
      'describeImage > gives the kernel, the ramdisk and the ISO image that instance_info names, and changes nothing',
      (tree) => new ReadsOtherKeys(tree),
    ),
    mutant(
      'ignores what is no reference to an image',
      'describeImage > names instance_info.kernel when it is no reference to an image',
      (tree) => new IgnoresBadReferences(tree),
    ),
    mutant(
      'writes the kernel parameters of a node as they are',
      'hostile values > in the kernel parameters of a node are refused by name or stay values',
      (tree) => new AppendsRawParameters(tree),
    ),
    mutant(
      'validates a password that it cannot render',
      'hostile values > in the CHAP password of a volume whose connection is known are refused by validate, when render refuses them',
      (tree) => new RefusesQuotesTooLate(tree),
    ),
    mutant(
      'serves a machine that is told to boot from its disk',
      'artifacts > boot a machine that is served over the network from there, and one with a local disk from that',
      (tree) => new ForgetsTheNetwork(tree),
    ),
    mutant(
      'has a machine with a local disk boot over the network',
      'artifacts > boot a machine that is served over the network from there, and one with a local disk from that',
      (tree) => new NeverBootsTheDisk(tree),
    ),
    mutant(
      'ignores an aborted signal',
      'apply > does not begin when its signal is aborted',
      (tree) => new IgnoresAbort(tree),
    ),
    mutant(
      'leaves half a file',
      'apply that fails > leaves every file whole, the old one or the new one',
      (tree) => new TruncatesFirst(tree),
    ),
  ]);
});
