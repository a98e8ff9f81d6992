import { readFile } from 'node:fs/promises';
import { defaultCacheDirectory, guestFiles, HttpServer } from '@ironbark/lab';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { literalParameters } from './literal-parameters.ts';
import { EnrolledMachine } from './enrolled-machine.ts';

/** What the guest reports of a start that ended well or not. */
const report = /IRONBARK-GUEST (?:RAMDISK-OK|ISO-OK|FAIL)/;

let images: HttpServer;
let imagesUrl: string;
/** Options of `openstack baremetal node set`. */
let kernelAndRamdisk: readonly (readonly string[])[];

beforeAll(async () => {
  images = await HttpServer.start();
  imagesUrl = `http://127.0.0.1:${images.port}`;
  const { kernel, ramdisk, iso } = await guestFiles(defaultCacheDirectory());
  const paths = Object.entries({ kernel, ramdisk, iso });
  for (const [name, path] of paths) images.files.set(`/${name}`, await readFile(path));
  kernelAndRamdisk = ['kernel', 'ramdisk'].map((name) => ['--instance-info', `${name}=${imagesUrl}/${name}`]);
});

afterAll(() => images.stop());

async function startMachine(boot: 'ipxe' | 'pxe', firmware: 'bios' | 'uefi'): Promise<EnrolledMachine> {
  const machine = await EnrolledMachine.start({ boot, firmware });
  await machine.set(['--deploy-interface', 'ramdisk'], ['--property', `capabilities=boot_mode:${firmware}`]);
  return machine;
}

interface ParameterFields {
  readonly kernel_append_params?: string;
  readonly ramdisk_kernel_arguments?: string;
}

/** Sets the fields of `instance_info` that take kernel parameters, both of them. */
function parameterOptions({ kernel_append_params = '', ramdisk_kernel_arguments = '' }: ParameterFields) {
  return Object.entries({ kernel_append_params, ramdisk_kernel_arguments }).map(([field, value]) => {
    return ['--instance-info', `${field}=${value}`];
  });
}

/** Divides parameters between both fields. */
function divided(parameters: readonly string[]): ParameterFields {
  const [first, second] = [parameters.slice(0, 8), parameters.slice(8)];
  return { kernel_append_params: first.join(' '), ramdisk_kernel_arguments: second.join(' ') };
}

/** What `node validate` says of an interface. */
async function validation({ openstack, nodeUuid }: EnrolledMachine, kind: string): Promise<string> {
  const rows = await openstack.json<readonly Record<'Interface' | 'Reason', string>[]>('node', 'validate', nodeUuid);
  return rows.find((row) => row.Interface === kind)?.Reason ?? '';
}

describe('a BIOS machine with iPXE', () => {
  let machine: EnrolledMachine;
  beforeAll(async () => {
    machine = await startMachine('ipxe', 'bios');
  });
  afterEach(() => machine.restore());
  afterAll(() => machine.stop());

  it('runs a ramdisk by URL, with kernel parameters that are what was written, and is released again', async () => {
    await machine.set(...kernelAndRamdisk, ...parameterOptions(divided(literalParameters)));
    const image = (name: string) => ({
      root: 'http',
      path: `${machine.nodeUuid}/${name}`,
      image: { kind: 'url', url: `${imagesUrl}/${name}` },
    });
    expect(await machine.plan()).toMatchObject({
      problems: [],
      bootSource: 'ramdisk',
      firmware: { bootMode: 'bios' },
      artifacts: { bootDevice: 'pxe', images: [image('kernel'), image('ramdisk')] },
    });
    expect(images.requests.filter(({ method }) => method === 'GET')).toEqual([]);
    const line = await machine.deployUntil(report);
    expect(line).toContain(`=root=/dev/ram0 text ${literalParameters.join(' ')} BOOTIF=52:54:`);
    expect(await machine.show()).toMatchObject({
      provision_state: 'active',
      last_error: null,
      instance_info: { boot_option: 'ramdisk' },
    });
    expect(await machine.release()).toMatchObject({
      node: { provision_state: 'available', instance_info: {}, driver_internal_info: {} },
      left: [],
    });
  });

  it('runs from an ISO image by URL', async () => {
    await machine.set(['--instance-info', `boot_iso=${imagesUrl}/iso`]);
    expect(await machine.plan()).toMatchObject({
      bootSource: 'iso',
      artifacts: { images: [{ image: { url: `${imagesUrl}/iso` } }] },
    });
    expect(await machine.deployUntil(report)).toContain('ISO-OK');
    expect(await machine.show()).toMatchObject({ last_error: null, instance_info: { boot_option: 'ramdisk' } });
    expect((await machine.release()).left).toEqual([]);
  });

  it.each([
    ['kernel_append_params', 'x=${net0/mac}'],
    ['kernel_append_params', 'quiet && reboot'],
    ['ramdisk_kernel_arguments', 'x="a # b"'],
  ] as const)('does not begin with instance_info.%s %j, which iPXE would act upon', async (field, value) => {
    await machine.set(...kernelAndRamdisk, ...parameterOptions({ [field]: value }));
    const refusal = `instance_info.${field} of node ${machine.nodeUuid} cannot be written into an iPXE script`;
    expect(await validation(machine, 'boot')).toContain(refusal);
    await expect(machine.deploy()).rejects.toThrow(refusal);
    expect(await machine.show()).toMatchObject({ provision_state: 'available', power_state: 'power off' });
  });
});

describe('a UEFI machine with GRUB', () => {
  let machine: EnrolledMachine;
  beforeAll(async () => {
    machine = await startMachine('pxe', 'uefi');
  });
  afterEach(() => machine.restore());
  afterAll(() => machine.stop());

  it('runs a ramdisk by URL, with kernel parameters that are what was written, and is released again', async () => {
    const parameters = ['brace=${net_default_mac}', 'quotation="$x ; y && z"', ...literalParameters];
    await machine.set(...kernelAndRamdisk, ...parameterOptions(divided(parameters)));
    // GRUB puts the quotation mark before the name, which is the same to the kernel.
    const arrived = parameters.map((parameter) => parameter.replace(/^(\w+=)"/, '"$1'));
    await machine.openstack.baremetal('node', 'boot', 'mode', 'set', machine.nodeUuid, 'uefi');
    const line = await machine.deployUntil(report);
    expect(line).toContain(`/kernel root=/dev/ram0 text ${arrived.join(' ')} BOOTIF=01-52:54:`);
    expect(await machine.show()).toMatchObject({
      last_error: null,
      boot_mode: 'uefi',
      instance_info: { boot_option: 'ramdisk' },
    });
    expect(await machine.release()).toMatchObject({ node: { instance_info: {} }, left: [] });
  });

  it.each([
    ['kernel_append_params', "x='a b'", 'cannot be passed to the kernel'],
    ['ramdisk_kernel_arguments', 'x=a\\b', 'cannot be written into a GRUB configuration'],
  ] as const)('does not begin with instance_info.%s %j, which would not arrive', async (field, value, reason) => {
    await machine.set(...kernelAndRamdisk, ...parameterOptions({ [field]: value }));
    const refusal = `instance_info.${field} of node ${machine.nodeUuid} ${reason}`;
    expect(await validation(machine, 'boot')).toContain(refusal);
  });
});
