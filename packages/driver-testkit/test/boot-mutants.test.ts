import { SecretText, type BootArtifacts, type BootRequest, type CapabilityTag, type Task } from '@ironbark/core';
import { describe } from 'vitest';
import { describeBootDriver } from '../src/boot.ts';
import { MemoryBoot, type MemoryBootTree } from '../src/fakes.ts';
import { itFindsMutants } from './mutants.ts';
import { bootHarness } from './reference-harnesses.ts';

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
  override readonly capabilities: readonly CapabilityTag[] = ['iscsi_volume_boot', 'ramdisk_boot', 'nfs_volume_boot'];
}

class KnowsOnePath extends MemoryBoot {
  override render(task: Task, request: BootRequest): BootArtifacts {
    if (request.source.kind !== 'iscsi') return super.render(task, request);
    const { volume } = request.source;
    const connection = { ...volume.connection, paths: volume.connection.paths.slice(0, 1) };
    return super.render(task, { ...request, source: { ...request.source, volume: { ...volume, connection } } });
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
      'boot sources > renders the source of nfs_volume_boot when that is declared, and refuses it by name when it is not',
      (tree) => new DeclaresTooMuch(tree),
    ),
    mutant(
      'knows one path only',
      'boot sources > tells an iSCSI machine its own name, every path and the credentials, when it writes files for it',
      (tree) => new KnowsOnePath(tree),
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
