import { explain, type CapabilityTag, type Info, type Task } from '@ironbark/core';
import {
  createDriver,
  createNode,
  createTask,
  createVolumeConnector,
  createVolumeTarget,
  MemoryBoot,
  MemoryStorage,
} from '@ironbark/driver-testkit/fakes';
import { describe, expect, it } from 'vitest';
import { checkRecords, isVolumeId, writesImage } from '../src/validation.ts';

interface NodeLike {
  readonly capabilities?: string | null;
  /** `type=id` of each connector. */
  readonly connectors?: readonly string[];
  /** `type:bootIndex` of each target. */
  readonly targets?: readonly string[];
  readonly bootTags?: readonly CapabilityTag[];
  readonly instanceInfo?: Info;
}

const iqn = 'iqn=iqn.2017-08.org.example:node-0';
const [portA, portB, nodeA] = ['wwpn=10000090fa000001', 'wwpn=10000090fa000002', 'wwnn=20000090fa000001'] as const;
const ipxe: readonly CapabilityTag[] = ['iscsi_volume_boot', 'ipxe_boot'];
const pxe: readonly CapabilityTag[] = ['pxe_boot'];

class BootLike extends MemoryBoot {
  override readonly capabilities: readonly CapabilityTag[];
  constructor(capabilities: readonly CapabilityTag[]) {
    super();
    this.capabilities = capabilities;
  }
}

/** Answers as the driver does, without a Cinder. */
class StorageLike extends MemoryStorage {
  override shouldWriteImage(task: Task): boolean {
    return writesImage(task);
  }
}

function taskOf(node: NodeLike): Task {
  const { capabilities = null, connectors = [], targets = [], bootTags = ipxe, instanceInfo = {} } = node;
  return createTask({
    node: createNode({ properties: capabilities === null ? {} : { capabilities }, instanceInfo }),
    driver: createDriver({ boot: new BootLike(bootTags), storage: new StorageLike() }),
    volumeConnectors: connectors.map((text, index) => {
      const [type = '', connectorId = ''] = text.split('=');
      return createVolumeConnector({ uuid: `connector-${index}`, type, connectorId });
    }),
    volumeTargets: targets.map((text, index) => {
      const [volumeType = '', bootIndex = '0'] = text.split(':');
      const volumeId = `00000005-0000-4000-8000-00000000000${index}`;
      return createVolumeTarget({ uuid: `target-${index}`, volumeType, bootIndex: Number(bootIndex), volumeId });
    }),
  });
}

describe('the records of a node are good', () => {
  it.each<[string, NodeLike]>([
    ['with nothing set, whatever the boot interface', { bootTags: pxe }],
    ['with a stray iqn connector on a node that boots without iPXE', { connectors: [iqn], bootTags: pxe }],
    ['with a malformed iqn connector on a node without volumes', { connectors: ['iqn=fake'] }],
    ['with a boot capability and no volume', { capabilities: 'iscsi_boot:True' }],
    ['with malformed capabilities on a node without volumes', { capabilities: 'iscsi_boot' }],
    ['with two wwpn and one wwnn on a node without volumes', { connectors: [portA, portB, nodeA] }],
    ['with an extra volume and no capability', { connectors: [iqn], targets: ['iscsi:1'] }],
    [
      'with a boot volume, its capability and its connector',
      { capabilities: 'iscsi_boot:True', connectors: [iqn], targets: ['iscsi:0'] },
    ],
    [
      'with a Fibre Channel boot volume, whatever the boot interface',
      {
        capabilities: 'fibre_channel_boot:True',
        connectors: [portA, nodeA],
        targets: ['fibre_channel:0'],
        bootTags: pxe,
      },
    ],
    [
      'with the other name of the Fibre Channel capability',
      { capabilities: 'fiberchannel_boot:1', connectors: [portA, nodeA], targets: ['fibre_channel:0'] },
    ],
    [
      'with a boot volume that is not booted from, because an image is written',
      { connectors: [iqn], targets: ['iscsi:0'], bootTags: pxe, instanceInfo: { image_source: null } },
    ],
  ])('%s', (_title, node) => {
    expect(() => checkRecords(taskOf(node))).not.toThrow();
  });
});

describe('the records of a node are refused', () => {
  it.each<[string, NodeLike, string]>([
    [
      'for a boot volume whose capability is false',
      { capabilities: 'iscsi_boot:False', connectors: [iqn], targets: ['iscsi:0'] },
      'iscsi_boot',
    ],
    [
      'for a boot volume without a capability',
      { connectors: [iqn], targets: ['iscsi:0'] },
      'capabilities=iscsi_boot:True',
    ],
    ['for a boot volume without an iqn', { capabilities: 'iscsi_boot:True', targets: ['iscsi:0'] }, '--type iqn'],
    ['for an extra volume without an iqn', { targets: ['iscsi:1'], connectors: [portA, nodeA] }, 'target-0'],
    [
      'for a boot volume of a node that boots without iPXE',
      { capabilities: 'iscsi_boot:True', connectors: [iqn], targets: ['iscsi:0'], bootTags: pxe },
      'iscsi_volume_boot',
    ],
    [
      'for malformed capabilities of a node that boots from a volume',
      { capabilities: 'iscsi_boot', connectors: [iqn], targets: ['iscsi:0'] },
      'name:value',
    ],
    ['for a volume type that Cinder may have and we not', { connectors: [iqn], targets: ['rbd:1'] }, '"rbd"'],
    ['for a volume type in upper case', { connectors: [iqn], targets: ['iSCSI:1'] }, '"iSCSI"'],
    ['for a Fibre Channel volume without a wwpn', { connectors: [iqn], targets: ['fibre_channel:1'] }, 'type wwpn'],
    [
      'for two wwpn and one wwnn',
      { connectors: [portA, portB, nodeA], targets: ['fibre_channel:1'] },
      '2 volume connectors of type wwpn and 1 of type wwnn',
    ],
    ['for a wwpn without a wwnn', { connectors: [portA], targets: ['fibre_channel:1'] }, '0 of type wwnn'],
    [
      'for a Fibre Channel boot volume whose capability is not set',
      { capabilities: 'iscsi_boot:True', connectors: [portA, nodeA], targets: ['fibre_channel:0'] },
      'fibre_channel_boot',
    ],
    ['for a malformed iqn of a node with volumes', { connectors: ['iqn=fake'], targets: ['iscsi:1'] }, 'connector-0'],
  ])('%s', (_title, node, text) => {
    const check = () => checkRecords(taskOf(node));
    expect(check).toThrow(expect.objectContaining({ code: 'INVALID_PARAMETER', status: 400 }));
    expect(explained(check)).toContain(text);
  });
});

function explained(check: () => void): string {
  try {
    check();
  } catch (error) {
    return explain(error);
  }
  return '';
}

it.each([
  ['00000005-0000-4000-8000-00000000000f', true],
  ['00000005-0000-4000-8000-00000000000F', false],
  ['000000050000400080000000000000f', false],
  ['../../attachments', false],
  ['00000005-0000-4000-8000-00000000000f/action', false],
  [' 00000005-0000-4000-8000-00000000000f', false],
  ['', false],
])('%j can be the id of a volume: %s', (text, isId) => {
  expect(isVolumeId(text)).toBe(isId);
});

it.each<[string, Info, readonly string[], boolean]>([
  ['no volume', {}, [], true],
  ['an extra volume', {}, ['iscsi:1'], true],
  ['a boot volume', {}, ['iscsi:0'], false],
  ['a boot volume and an image', { image_source: 'http://192.0.2.1/image' }, ['iscsi:0'], true],
  ['a boot volume and a null image', { image_source: null }, ['iscsi:0'], true],
])('a node with %s has an image written: %s', (_title, instanceInfo, targets, expected) => {
  expect(writesImage(taskOf({ instanceInfo, targets }))).toBe(expected);
});

describe('an image beside a boot volume whose kernel the boot interface serves', () => {
  const image = { image_source: '7c2f3a9e-1111-4222-8333-444455556666' };
  const grub: readonly CapabilityTag[] = ['iscsi_volume_boot', 'kernel_from_image', 'uefi_only'];
  const node: NodeLike = {
    capabilities: 'iscsi_boot:True,boot_mode:uefi',
    connectors: [iqn],
    targets: ['iscsi:0'],
    bootTags: grub,
    instanceInfo: image,
  };

  it.each<[string, NodeLike, boolean]>([
    ['describes the volume', node, false],
    ['describes it when the node prefers the network', { ...node, capabilities: 'boot_option:netboot' }, false],
    ['is written where the local disk is preferred', { ...node, capabilities: 'boot_option:local' }, true],
    ['is written where the instance orders it', { ...node, instanceInfo: { ...image, boot_option: 'local' } }, true],
    ['is written for a host bus adapter', { ...node, capabilities: 'hba_boot:True' }, true],
    ['is written beside a Fibre Channel volume', { ...node, targets: ['fibre_channel:0'] }, true],
  ])('%s', (_title, given, expected) => {
    expect(writesImage(taskOf(given))).toBe(expected);
  });

  it('is no reason to refuse the records', () => {
    expect(() => checkRecords(taskOf(node))).not.toThrow();
  });

  it('does not let a machine in BIOS mode through', () => {
    const bios = { ...node, capabilities: 'iscsi_boot:True,boot_mode:bios' };
    expect(() => checkRecords(taskOf(bios))).toThrow('legacy BIOS mode');
  });
});
