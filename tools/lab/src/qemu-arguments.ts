import type { BootDevice, VirtualMachineOptions } from './virtual-machine.ts';

/** Of Debian's OVMF: the code, and variables as they are before the first start. */
export const ovmf = { code: '/usr/share/OVMF/OVMF_CODE_4M.fd', variables: '/usr/share/OVMF/OVMF_VARS_4M.fd' };

/** A device with a place in qemu's boot order. */
export type IndexedDevice = Exclude<BootDevice, 'http'>;

export const deviceIds: Readonly<Record<IndexedDevice, string>> = { network: 'nic0', disk: 'disk0', cd: 'cd' };

export interface QemuSettings extends Pick<VirtualMachineOptions, 'name' | 'network' | 'disk'> {
  readonly macAddresses: readonly string[];
  readonly memoryMiB: number;
  readonly bootOrder: readonly BootDevice[];
  /** File with the variables of UEFI; undefined for a BIOS. */
  readonly uefiVariables: string | undefined;
}

/** The command line for a machine that waits for `cont` on its QMP channel, file descriptor 3, with its serial port on stdio. */
export function qemuArguments(settings: QemuSettings): readonly string[] {
  const options = [
    ['-nodefaults', '-no-user-config', '-display', 'none', '-S', '-name', escapeValue(settings.name)],
    // Without graphics SeaBIOS sends its own messages, and so those of iPXE and GRUB, to the serial port; OVMF always does.
    ['-machine', 'pc,graphics=off,hpet=off', '-accel', 'tcg', '-cpu', 'max', '-m', String(settings.memoryMiB)],
    ['-boot', 'strict=on', '-chardev', 'stdio,id=serial,signal=off', '-serial', 'chardev:serial'],
    ['-chardev', 'socket,id=qmp,fd=3', '-mon', 'chardev=qmp,mode=control'],
    ['-device', `ide-cd,id=cd,bus=ide.1,bootindex=${bootIndex(settings.bootOrder, 'cd')}`],
    ['-device', 'floppy,id=floppy,unit=0,drive-type=144'],
    ...firmware(settings),
    ...settings.macAddresses.flatMap((mac, index) => card(settings, mac, index)),
    ...disk(settings),
  ];
  return options.flat();
}

function firmware({ uefiVariables, bootOrder }: QemuSettings): readonly (readonly string[])[] {
  if (uefiVariables === undefined) return [];
  return [
    ['-drive', `if=pflash,unit=0,format=raw,readonly=on,file=${ovmf.code}`],
    ['-drive', `if=pflash,unit=1,format=raw,file=${escapeValue(uefiVariables)}`],
    // OVMF tries the ways of a card one after the other, which takes a minute; these switches are its own.
    ['-fw_cfg', 'name=opt/org.tianocore/IPv6PXESupport,string=n'],
    ...(bootOrder.includes('http') ? [['-fw_cfg', 'name=opt/org.tianocore/IPv4PXESupport,string=n']] : []),
  ];
}

function card(settings: QemuSettings, mac: string, index: number): readonly (readonly string[])[] {
  const order = index === 0 ? `,bootindex=${bootIndex(settings.bootOrder, 'network')}` : '';
  // With iPXE in the option ROM OVMF would take its driver of the card for its own PXE.
  const rom = settings.uefiVariables === undefined ? '' : ',romfile=';
  return [
    ['-netdev', `${index === 0 ? firstNetwork(settings) : 'user'},id=net${index}`],
    ['-device', `virtio-net-pci,id=nic${index},netdev=net${index},mac=${mac}${order}${rom}`],
  ];
}

// IPv6 stays on: without its router advertisements iPXE waits 13 s longer for an address.
function firstNetwork({ network = { kind: 'user' } }: QemuSettings): string {
  if (network.kind === 'tap') return `tap,ifname=${escapeValue(network.interface)},script=no,downscript=no`;
  const bootFile = network.bootFile === undefined ? '' : `,bootfile=${escapeValue(network.bootFile)}`;
  const tftpRoot = network.tftpRoot === undefined ? '' : `,tftp=${escapeValue(network.tftpRoot)}`;
  return `user${bootFile}${tftpRoot}`;
}

function disk(settings: QemuSettings): readonly (readonly string[])[] {
  if (settings.disk === undefined) return [];
  return [
    ['-drive', `if=none,id=drive0,format=raw,file=${escapeValue(settings.disk)}`],
    ['-device', `virtio-blk-pci,id=disk0,drive=drive0,bootindex=${bootIndex(settings.bootOrder, 'disk')}`],
  ];
}

/** Place of a device in the boot order; -1: the firmware does not try it. */
export function bootIndex(order: readonly BootDevice[], device: IndexedDevice): number {
  return order.findIndex((each) => each === device || (each === 'http' && device === 'network'));
}

/** In qemu's options a comma inside a value is written twice. */
function escapeValue(value: string): string {
  return value.replaceAll(',', ',,');
}
