import { FakeService, type Answer, type Handler } from '@ironbark/lab/fake-service';
import { describe, expect, it } from 'vitest';
import { ComputerSystem } from '../src/index.ts';
import { createClient, refusal, soon, systemHandlers, systemPath } from './support/fake-bmc.ts';

const biosPath = `${systemPath}/Bios`;
const extra = { Bios: { '@odata.id': biosPath } };

function biosHandlers(attributes: Readonly<Record<string, unknown>>): Readonly<Record<string, Handler>> {
  return { [`GET ${biosPath}`]: () => ({ json: { Attributes: attributes } }) };
}

async function withSystem<T>(service: FakeService, work: (system: ComputerSystem) => Promise<T>): Promise<T> {
  await using client = createClient(service);
  return await work(new ComputerSystem(client, systemPath));
}

describe('the boot mode of a BMC that shows none in the boot override', () => {
  it.each([
    [{ BootMode: 'Uefi' }, 'UEFI'],
    [{ BootMode: 'Bios' }, 'Legacy'],
    [{ BootMode: 'LegacyBios' }, 'Legacy'],
    [{ BootMode: 'UefiOptimized' }, 'UEFI'],
    [{ BootModeSelect: 'DUAL' }, null],
    [{ BootModes_SystemBootMode: 'UEFIMode' }, 'UEFI'],
    [{ BootModeWarning: 'Uefi' }, null],
    [{}, null],
  ])('is that of the BIOS settings %j: %s', async (attributes, expected) => {
    await using service = await FakeService.start({
      ...systemHandlers({ boot: {}, extra }),
      ...biosHandlers(attributes),
    });
    expect(await withSystem(service, (system) => system.bootMode(soon()))).toBe(expected);
  });

  it.each<readonly [string, object, Answer | undefined]>([
    ['without BIOS settings', {}, undefined],
    ['whose BIOS settings exist only as a link', extra, { status: 404, json: {} }],
  ])('is not known of a system %s', async (_title, links, answer) => {
    await using service = await FakeService.start({
      ...systemHandlers({ boot: {}, extra: links as Readonly<Record<string, unknown>> }),
      ...(answer === undefined ? {} : { [`GET ${biosPath}`]: () => answer }),
    });
    expect(await withSystem(service, (system) => system.bootMode(soon()))).toBeNull();
  });

  it('is the only one that it allows', async () => {
    const boot = { BootSourceOverrideMode: null, 'BootSourceOverrideMode@Redfish.AllowableValues': ['UEFI'] };
    await using service = await FakeService.start(systemHandlers({ boot }));
    expect(await withSystem(service, (system) => system.bootMode(soon()))).toBe('UEFI');
  });

  it('is left alone when it is the wanted one', async () => {
    await using service = await FakeService.start({
      ...systemHandlers({ boot: {}, extra }),
      ...biosHandlers({ BootMode: 'Uefi' }),
    });
    await withSystem(service, (system) => system.changeBootMode('UEFI', soon()));
    expect(service.count('PATCH', systemPath)).toBe(0);
  });

  it('is refused to be changed, with the attribute that holds it', async () => {
    await using service = await FakeService.start({
      ...systemHandlers({ boot: {}, extra }),
      ...biosHandlers({ BootMode: 'Bios' }),
    });
    await expect(withSystem(service, (system) => system.changeBootMode('UEFI', soon()))).rejects.toMatchObject({
      code: 'BMC_UNSUPPORTED',
      hint: expect.stringContaining('attribute BootMode, now Bios'),
    });
    expect(service.count('PATCH', systemPath)).toBe(0);
  });
});

describe('a change of the boot mode', () => {
  const boot = { BootSourceOverrideMode: 'Legacy', BootSourceOverrideTarget: null, BootSourceOverrideEnabled: null };

  it('is made with no override beside it when the BMC refuses it alone', async () => {
    const own = { ...boot };
    const refuse = ({ body }: { readonly body: unknown }) =>
      'BootSourceOverrideTarget' in (body as { readonly Boot: object }).Boot
        ? undefined
        : refusal(400, 'GeneralError', 'A general error has occurred.');
    await using service = await FakeService.start(systemHandlers({ boot: own, refuse }));
    await withSystem(service, (system) => system.changeBootMode('UEFI', soon()));
    expect(own).toEqual({
      BootSourceOverrideMode: 'UEFI',
      BootSourceOverrideTarget: 'None',
      BootSourceOverrideEnabled: 'Disabled',
    });
  });

  it('that fails for another reason is not taken for a mode that is fixed', async () => {
    const refuse = () => refusal(500, 'InternalError', 'Something broke.');
    await using service = await FakeService.start(systemHandlers({ boot: { ...boot }, refuse }));
    await expect(withSystem(service, (system) => system.changeBootMode('UEFI', soon()))).rejects.toMatchObject({
      code: 'BMC_FAILURE',
    });
  });
});

describe('the address of UEFI HTTP boot', () => {
  it('is set together with the boot source when the BMC asks for that', async () => {
    const own: Record<string, unknown> = {
      BootSourceOverrideTarget: 'None',
      BootSourceOverrideEnabled: 'Disabled',
      HttpBootUri: '',
    };
    const refuse = ({ body }: { readonly body: unknown }) =>
      'BootSourceOverrideTarget' in (body as { readonly Boot: object }).Boot
        ? undefined
        : refusal(400, 'PropertyMissing', 'The property BootSourceOverrideTarget is a required property.');
    await using service = await FakeService.start(systemHandlers({ boot: own, refuse }));
    const httpBootUri = 'http://192.0.2.1/boot.efi';
    await withSystem(service, (system) => system.changeBoot({ httpBootUri }, soon()));
    expect(own).toMatchObject({ BootSourceOverrideTarget: 'UefiHttp', HttpBootUri: httpBootUri });
  });
});
