import { access, readdir } from 'node:fs/promises';

/** `lab` packages are needed to boot machines, `live` packages by the services of OpenStack, `test` packages only by tests. */
export const packagePurposes = ['lab', 'live', 'test'] as const;

export type PackagePurpose = (typeof packagePurposes)[number];

export interface DebianPackage {
  readonly name: string;
  /** A file or folder that exists when the package is installed; `*` stands for anything within the last part of the path. */
  readonly proof: string;
  readonly reason: string;
  readonly purpose: PackagePurpose;
}

/** The Debian packages that the lab and the end-to-end tests use, beyond what every Debian system has. */
export const debianPackages: readonly DebianPackage[] = [
  lab('qemu-system-x86', '/usr/bin/qemu-system-x86_64', 'virtual machines with SeaBIOS'),
  lab('qemu-block-extra', '/usr/lib/x86_64-linux-gnu/qemu/block-curl.so', 'virtual media that qemu reads over http'),
  lab('ipxe-qemu', '/usr/lib/ipxe/qemu/pxe-virtio.rom', 'iPXE in the option ROM of the network card'),
  lab('tgt', '/usr/sbin/tgtd', 'iSCSI targets in user space'),
  // The busybox package brings the same program, but one that needs shared libraries.
  lab('busybox-static', '/usr/share/doc/busybox-static', 'user space of the guest'),
  lab('open-iscsi', '/usr/sbin/iscsistart', 'iSCSI initiator of the guest'),
  lab('linux-image-cloud-amd64', '/boot/vmlinuz-*', 'kernel of the guest'),
  lab('kmod', '/usr/sbin/modprobe', 'finding the kernel modules of the guest'),
  lab('e2fsprogs', '/usr/sbin/mke2fs', 'file system of the guest'),
  lab('grub-common', '/usr/bin/grub-mkimage', 'boot loader of the guest'),
  lab('grub-pc-bin', '/usr/lib/grub/i386-pc/boot.img', 'boot loader of the guest'),
  lab('grub-efi-amd64-bin', '/usr/lib/grub/x86_64-efi/kernel.img', 'boot loader of the guest with UEFI'),
  lab('mtools', '/usr/bin/mformat', 'file system that UEFI boots from'),
  lab('xorriso', '/usr/bin/xorriso', 'CD images'),
  lab('ovmf', '/usr/share/OVMF/OVMF_CODE_4M.fd', 'firmware of UEFI machines'),
  lab('openssl', '/usr/bin/openssl', 'certificate of the virtual BMC'),
  // The libraries: the packages of the daemons would start them.
  live('python3-keystone', '/usr/bin/keystone-wsgi-public', 'Keystone'),
  live('python3-cinder', '/usr/lib/python3/dist-packages/cinder/service.py', 'Cinder'),
  live('python3-glance', '/usr/lib/python3/dist-packages/glance/version.py', 'Glance'),
  test(
    'python3-sushy',
    '/usr/lib/python3/dist-packages/sushy',
    'checks the virtual BMC with the Redfish client of Ironic',
  ),
  test(
    'dracut-network',
    '/usr/lib/dracut/modules.d/95iscsi/iscsiroot.sh',
    'an initramfs whose scripts read the kernel command lines that are rendered',
  ),
  test('initramfs-tools-core', '/usr/sbin/mkinitramfs', "initramfs as Debian's"),
  test('nfs-common', '/sbin/mount.nfs4', 'what dracut mounts an NFS root with'),
  test('systemd', '/lib/systemd/systemd', 'init of a dracut initramfs'),
  test(
    'grub-emu',
    '/usr/bin/grub-emu',
    'GRUB as a program of this host, which runs the configurations that are rendered',
  ),
  test('ipxe', '/usr/lib/ipxe/snponly.efi', 'a boot loader that UEFI firmware loads over the network'),
  test('mount', '/bin/mount', 'a private /run beside the private network of tests'),
  test('iproute2', '/bin/ip', 'bridges and network cards in a network namespace'),
  test('dnsmasq-base', '/usr/sbin/dnsmasq', 'DHCP and TFTP for machines in a network namespace'),
  test('tftpd-hpa', '/usr/sbin/in.tftpd', 'the other TFTP server that boot files are served with'),
  test('curl', '/usr/bin/curl', 'a TFTP client'),
  test('nfs-ganesha', '/usr/bin/ganesha.nfsd', 'an NFS server in user space'),
  test('nfs-ganesha-vfs', '/usr/lib/x86_64-linux-gnu/ganesha/libfsalvfs.so', 'exports of the NFS server'),
  test('rpcbind', '/usr/sbin/rpcbind', 'NFSv3'),
  test('libnfs-utils', '/usr/bin/nfs-cat', 'an NFS client in user space'),
  test('qemu-utils', '/usr/bin/qemu-img', 'an iSCSI initiator in user space, to check the targets with'),
  test('python3-openstackclient', '/usr/bin/openstack', 'drives the API as a user does'),
  test('python3-ironicclient', '/usr/lib/python3/dist-packages/ironicclient', 'the baremetal commands of openstack'),
];

/** The packages of the table that are not installed. */
export async function missingPackages(
  purposes: readonly PackagePurpose[] = packagePurposes,
  packages: readonly DebianPackage[] = debianPackages,
): Promise<readonly DebianPackage[]> {
  const wanted = packages.filter((each) => purposes.includes(each.purpose));
  const found = await Promise.all(wanted.map(async (each) => exists(each.proof)));
  return wanted.filter((_, index) => found[index] === false);
}

function lab(name: string, proof: string, reason: string): DebianPackage {
  return { name, proof, reason, purpose: 'lab' };
}

function live(name: string, proof: string, reason: string): DebianPackage {
  return { name, proof, reason, purpose: 'live' };
}

function test(name: string, proof: string, reason: string): DebianPackage {
  return { name, proof, reason, purpose: 'test' };
}

async function exists(pattern: string): Promise<boolean> {
  if (!pattern.endsWith('*')) {
    return access(pattern).then(
      () => true,
      () => false,
    );
  }
  const slash = pattern.lastIndexOf('/');
  const names = await readdir(pattern.slice(0, slash)).catch(() => []);
  return names.some((name) => name.startsWith(pattern.slice(slash + 1, -1)));
}
