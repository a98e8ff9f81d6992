import { FakeService, type ReceivedRequest } from '@ironbark/lab/fake-service';
import { describe, expect, it } from 'vitest';
import { ComputerSystem, type BootChange } from '../src/index.ts';
import {
  createClient,
  refusal,
  sessionHandlers,
  soon,
  systemHandlers,
  systemPath,
  type FakeSystemState,
} from './support/fake-bmc.ts';

const allowed = { 'BootSourceOverrideTarget@Redfish.AllowableValues': ['None', 'Pxe', 'Hdd', 'Cd', 'UefiHttp'] };

function initialBoot(): Record<string, unknown> {
  return {
    BootSourceOverrideTarget: 'None',
    BootSourceOverrideEnabled: 'Disabled',
    BootSourceOverrideMode: 'UEFI',
    ...allowed,
  };
}

async function change(service: FakeService, wanted: BootChange, settleTimeoutMs = 60): Promise<void> {
  await using client = createClient(service, {}, { patience: { settleTimeoutMs } });
  await new ComputerSystem(client, systemPath).changeBoot(wanted, soon());
}

function patches(service: FakeService): readonly unknown[] {
  return service.requests.filter(({ method }) => method === 'PATCH').map(({ body }) => body);
}

describe('boot settings', () => {
  it('are read with what the BMC allows', async () => {
    await using service = await FakeService.start(systemHandlers({ boot: initialBoot() }));
    await using client = createClient(service);
    expect(await new ComputerSystem(client, systemPath).boot(soon())).toEqual({
      target: 'None',
      enabled: 'Disabled',
      mode: 'UEFI',
      httpBootUri: null,
      allowedTargets: ['None', 'Pxe', 'Hdd', 'Cd', 'UefiHttp'],
      allowedEnabled: null,
      allowedModes: null,
      properties: ['target', 'enabled', 'mode'],
      manufacturer: null,
    });
  });

  it('are changed in one request that holds only what changes', async () => {
    await using service = await FakeService.start(systemHandlers({ boot: initialBoot() }));
    await change(service, { target: 'Pxe', enabled: 'Continuous' });
    expect(patches(service)).toEqual([
      { Boot: { BootSourceOverrideTarget: 'Pxe', BootSourceOverrideEnabled: 'Continuous' } },
    ]);
  });

  it('are left alone when they are as wanted', async () => {
    const boot = { ...initialBoot(), BootSourceOverrideTarget: 'Pxe', BootSourceOverrideEnabled: 'Once' };
    await using service = await FakeService.start(systemHandlers({ boot }));
    await change(service, { target: 'Pxe', enabled: 'Once' });
    expect(patches(service)).toEqual([]);
  });

  it('are waited for when the BMC is slow to show them', async () => {
    let looks = 0;
    const boot = initialBoot();
    const handlers = systemHandlers({ boot, apply: () => (looks = 1) });
    await using service = await FakeService.start({
      ...handlers,
      [`GET ${systemPath}`]: async (request, nth) => {
        if (looks > 0 && (looks += 1) === 4) Object.assign(boot, { BootSourceOverrideTarget: 'Pxe' });
        return (await handlers[`GET ${systemPath}`]?.(request, nth)) ?? {};
      },
    });
    await change(service, { target: 'Pxe' }, 3000);
    expect(looks).toBe(4);
  });

  it('that the BMC accepts and does not keep are an error that names them', async () => {
    await using service = await FakeService.start(systemHandlers({ boot: initialBoot(), apply: () => {} }));
    await expect(change(service, { target: 'Pxe', enabled: 'Once' })).rejects.toMatchObject({
      code: 'BMC_FAILURE',
      message: expect.stringContaining(
        'BootSourceOverrideTarget None instead of Pxe, BootSourceOverrideEnabled Disabled instead of Once',
      ),
    });
  });

  it('that the BMC does not allow are refused before it is asked, with what it allows', async () => {
    await using service = await FakeService.start(systemHandlers({ boot: initialBoot() }));
    await expect(change(service, { target: 'Floppy' })).rejects.toMatchObject({
      code: 'BMC_UNSUPPORTED',
      hint: 'It offers: None, Pxe, Hdd, Cd, UefiHttp.',
    });
    expect(patches(service)).toEqual([]);
  });

  it('include the boot mode when the machine is from Supermicro', async () => {
    const extra = { Manufacturer: 'Supermicro' };
    await using service = await FakeService.start(systemHandlers({ boot: initialBoot(), extra }));
    await change(service, { target: 'Pxe' });
    expect(patches(service)).toEqual([{ Boot: { BootSourceOverrideTarget: 'Pxe', BootSourceOverrideMode: 'UEFI' } }]);
  });
});

describe('the boot mode beside a boot source', () => {
  it('is sent when the BMC asks for it', async () => {
    const refuse = ({ body }: ReceivedRequest) =>
      'BootSourceOverrideMode' in (body as { readonly Boot: object }).Boot
        ? undefined
        : refusal(400, 'PropertyMissing', 'The property BootSourceOverrideMode is a required property.');
    await using service = await FakeService.start(systemHandlers({ boot: initialBoot(), refuse }));
    await change(service, { target: 'Pxe' });
    expect(patches(service).at(-1)).toEqual({
      Boot: { BootSourceOverrideTarget: 'Pxe', BootSourceOverrideMode: 'UEFI' },
    });
  });

  it('is read back when it was sent', async () => {
    const apply = (boot: Record<string, unknown>, wanted: object) => {
      Object.assign(boot, wanted, { BootSourceOverrideMode: 'Legacy' });
    };
    const extra = { Manufacturer: 'Supermicro' };
    await using service = await FakeService.start(systemHandlers({ boot: initialBoot(), apply, extra }));
    await expect(change(service, { target: 'Pxe' })).rejects.toMatchObject({
      code: 'BMC_FAILURE',
      message: expect.stringContaining('BootSourceOverrideMode Legacy instead of UEFI'),
    });
  });
});

describe('an override that stays', () => {
  const persistent = { target: 'Pxe', enabled: 'Continuous' } as const;
  const error = {
    code: 'BMC_UNSUPPORTED',
    message: expect.stringContaining('Continuous'),
    hint: expect.stringContaining('not persistent'),
  };

  it.each<readonly [string, FakeSystemState]>([
    [
      'does not list it',
      { boot: { ...initialBoot(), 'BootSourceOverrideEnabled@Redfish.AllowableValues': ['Once', 'Disabled'] } },
    ],
    [
      'refuses it',
      {
        boot: initialBoot(),
        refuse: () => refusal(400, 'PropertyValueNotInList', "The value 'Continuous' is not in the list."),
      },
    ],
    [
      'makes it an override for one start',
      {
        boot: initialBoot(),
        apply: (boot, wanted) => Object.assign(boot, wanted, { BootSourceOverrideEnabled: 'Once' }),
      },
    ],
  ])('is not supported by a BMC that %s, and the error says so', async (_title, state) => {
    await using service = await FakeService.start(systemHandlers(state));
    await expect(change(service, persistent)).rejects.toMatchObject(error);
  });

  it('is not what is wrong when the BMC refuses something else', async () => {
    const refuse = () => refusal(400, 'PropertyValueNotInList', "The value 'Pxe' is not in the list.");
    await using service = await FakeService.start(systemHandlers({ boot: initialBoot(), refuse }));
    const message = expect.stringContaining("'Pxe' is not in the list");
    await expect(change(service, persistent)).rejects.toMatchObject({ code: 'BMC_UNSUPPORTED', message });
  });
});

describe('the address of UEFI HTTP boot', () => {
  const httpBootUri = 'http://192.0.2.1/boot.efi?token=abc';

  it('is set and read back', async () => {
    const boot = initialBoot();
    await using service = await FakeService.start(systemHandlers({ boot }));
    await change(service, { httpBootUri });
    expect(boot['HttpBootUri']).toBe(httpBootUri);
  });

  it('is refused for a BMC that has neither the property nor the boot source', async () => {
    await using service = await FakeService.start(systemHandlers({ boot: { BootSourceOverrideTarget: 'None' } }));
    await expect(change(service, { httpBootUri })).rejects.toMatchObject({ code: 'BMC_UNSUPPORTED' });
    expect(patches(service)).toEqual([]);
  });

  it('is not supported by a BMC that does not have the property and forgets it', async () => {
    await using service = await FakeService.start(systemHandlers({ boot: initialBoot(), apply: () => {} }));
    await expect(change(service, { httpBootUri })).rejects.toMatchObject({
      code: 'BMC_UNSUPPORTED',
      hint: expect.stringContaining('DHCP'),
    });
  });

  it('does not appear in errors', async () => {
    const boot = { ...initialBoot(), HttpBootUri: '' };
    await using service = await FakeService.start(systemHandlers({ boot, apply: () => {} }));
    const message = expect.not.stringContaining('token');
    await expect(change(service, { httpBootUri })).rejects.toMatchObject({ code: 'BMC_FAILURE', message });
  });
});

describe('settings for the next start', () => {
  const pendingPath = `${systemPath}/Settings`;
  const extra = { '@Redfish.Settings': { SettingsObject: { '@odata.id': pendingPath } } };

  it('are changed and read where the BMC keeps them', async () => {
    const pending: Record<string, unknown> = {
      BootSourceOverrideTarget: 'None',
      BootSourceOverrideEnabled: 'Disabled',
    };
    await using service = await FakeService.start({
      ...systemHandlers({ boot: initialBoot(), extra }),
      [`GET ${pendingPath}`]: () => ({ json: { Boot: pending } }),
      [`PATCH ${pendingPath}`]: ({ body }) => {
        Object.assign(pending, (body as { readonly Boot: object }).Boot);
        return { status: 204 };
      },
    });
    await change(service, { target: 'Pxe', enabled: 'Once' });
    expect(pending).toEqual({ BootSourceOverrideTarget: 'Pxe', BootSourceOverrideEnabled: 'Once' });
    expect(service.count('PATCH', systemPath)).toBe(0);
  });

  it('are not waited for as a task, which ends with that start', async () => {
    const pending: Record<string, unknown> = { BootSourceOverrideTarget: 'None' };
    const monitor = '/redfish/v1/TaskService/TaskMonitors/1';
    await using service = await FakeService.start({
      ...systemHandlers({ boot: initialBoot(), extra }),
      [`GET ${pendingPath}`]: () => ({ json: { Boot: pending } }),
      [`PATCH ${pendingPath}`]: ({ body }) => {
        Object.assign(pending, (body as { readonly Boot: object }).Boot);
        return { status: 202, headers: { location: monitor } };
      },
      [`GET ${monitor}`]: () => ({ status: 202 }),
    });
    await change(service, { target: 'Pxe' });
    expect(service.count('GET', monitor)).toBe(0);
  });

  it.each([
    ['exist only as a link', { status: 404 }],
    ['hold no boot settings', { json: { BootOrder: [] } }],
  ])('that %s do not matter', async (_title, answer) => {
    const boot = initialBoot();
    await using service = await FakeService.start({
      ...systemHandlers({ boot, extra }),
      [`GET ${pendingPath}`]: () => answer,
    });
    await change(service, { target: 'Pxe' });
    expect(boot['BootSourceOverrideTarget']).toBe('Pxe');
  });

  it('that cannot be read are an error', async () => {
    await using service = await FakeService.start({
      ...sessionHandlers(),
      ...systemHandlers({ boot: initialBoot(), extra }),
      [`GET ${pendingPath}`]: () => ({ status: 500 }),
    });
    await expect(change(service, { target: 'Pxe' })).rejects.toMatchObject({ code: 'BMC_FAILURE' });
  });
});
