import { FakeService, type Answer, type Handler, type ReceivedRequest } from '@ironbark/lab/fake-service';
import { describe, expect, it } from 'vitest';
import { chooseSlot, ComputerSystem, VirtualMediaSlot } from '../src/index.ts';
import { createClient, refusal, sessionHandlers, soon, systemPath } from './support/fake-bmc.ts';

const slotPath = '/redfish/v1/Managers/1/VirtualMedia/Cd';
const insertPath = `${slotPath}/Actions/VirtualMedia.InsertMedia`;
const ejectPath = `${slotPath}/Actions/VirtualMedia.EjectMedia`;
const url = 'http://192.0.2.1/boot.iso';

interface SlotBehaviour {
  readonly media?: Record<string, unknown>;
  readonly hasActions?: boolean;
  /** Answers an insertion; undefined: it is made. */
  readonly insert?: (request: ReceivedRequest, nth: number) => Answer | undefined;
  readonly eject?: () => Answer | undefined;
}

function slotHandlers(behaviour: SlotBehaviour): Readonly<Record<string, Handler>> {
  const media: Record<string, unknown> = behaviour.media ?? {};
  Object.assign(media, { MediaTypes: ['CD', 'DVD'], Inserted: false, Image: null, ...media });
  const actions = {
    '#VirtualMedia.InsertMedia': { target: insertPath },
    '#VirtualMedia.EjectMedia': { target: ejectPath },
  };
  return {
    ...sessionHandlers(),
    [`GET ${slotPath}`]: () => ({
      json: { ...media, ...(behaviour.hasActions === false ? {} : { Actions: actions }) },
    }),
    [`PATCH ${slotPath}`]: ({ body }) => {
      Object.assign(media, body);
      return { status: 204 };
    },
    [`POST ${insertPath}`]: (request, nth) => {
      const answer = behaviour.insert?.(request, nth);
      if (answer !== undefined) return answer;
      Object.assign(media, { Inserted: true, ConnectedVia: 'URI' }, request.body);
      return { status: 204 };
    },
    [`POST ${ejectPath}`]: () => {
      const answer = behaviour.eject?.();
      if (answer !== undefined) return answer;
      Object.assign(media, { Inserted: false, Image: null });
      return { status: 204 };
    },
  };
}

async function withSlot<T>(service: FakeService, work: (slot: VirtualMediaSlot) => Promise<T>): Promise<T> {
  await using client = createClient(service);
  return await work(new VirtualMediaSlot(client, slotPath));
}

function actionsOf(service: FakeService): readonly string[] {
  const posts = service.requests.filter(({ method, path }) => method === 'POST' && path.startsWith(slotPath));
  return posts.map(({ path }) => path.slice(path.lastIndexOf('.') + 1));
}

describe('inserting an image', () => {
  it('returns when the BMC shows it', async () => {
    await using service = await FakeService.start(slotHandlers({}));
    const status = await withSlot(service, async (slot) => {
      await slot.insert({ url }, soon());
      return slot.status(soon());
    });
    expect(status).toMatchObject({ inserted: true, image: url, writeProtected: true });
  });

  it('ejects first what the slot claims to hold, also the same image', async () => {
    await using service = await FakeService.start(slotHandlers({ media: { Inserted: true, Image: url } }));
    await withSlot(service, (slot) => slot.insert({ url }, soon()));
    expect(actionsOf(service)).toEqual(['EjectMedia', 'InsertMedia']);
  });

  it('is done again after an ejection when the BMC accepts the image and does not show it', async () => {
    const media: Record<string, unknown> = {};
    const insert = (_request: ReceivedRequest, nth: number) => {
      if (nth > 1) return undefined;
      Object.assign(media, { Inserted: true, Image: url, ConnectedVia: 'NotConnected' });
      return { status: 204 };
    };
    await using service = await FakeService.start(slotHandlers({ media, insert }));
    await withSlot(service, (slot) => slot.insert({ url }, soon()));
    expect(actionsOf(service)).toEqual(['InsertMedia', 'EjectMedia', 'InsertMedia']);
  });

  it('is done again when the BMC is still ejecting', async () => {
    const insert = (_request: ReceivedRequest, nth: number) => (nth === 1 ? { status: 500 } : undefined);
    await using service = await FakeService.start(slotHandlers({ insert }));
    await withSlot(service, (slot) => slot.insert({ url }, soon()));
    expect(actionsOf(service)).toEqual(['InsertMedia', 'InsertMedia']);
  });

  it('is not done again when only the answer was lost', async () => {
    const media: Record<string, unknown> = {};
    const insert = ({ body }: ReceivedRequest): Answer => {
      Object.assign(media, body);
      return { fault: 'reset' };
    };
    await using service = await FakeService.start(slotHandlers({ media, insert }));
    await withSlot(service, (slot) => slot.insert({ url }, soon()));
    expect(actionsOf(service)).toEqual(['InsertMedia']);
  });

  it('fails in the end, without the address in the error', async () => {
    await using service = await FakeService.start(slotHandlers({ insert: () => ({ status: 204 }) }));
    const call = withSlot(service, (slot) => slot.insert({ url: `${url}?sig=abc` }, soon()));
    const message = `BMC ${service.address}: ${slotPath} accepted an image, but does not show it as inserted.`;
    await expect(call).rejects.toMatchObject({ code: 'BMC_FAILURE', message });
  });

  it.each<readonly [string, string, object]>([
    ['only the image', 'ActionParameterNotSupported', { Image: url }],
    [
      'the transfer protocol, too',
      'ActionParameterMissing',
      { Image: url, Inserted: true, WriteProtected: true, TransferProtocolType: 'HTTP', TransferMethod: 'Stream' },
    ],
  ])('suits a BMC that wants %s', async (_title, messageId, body) => {
    const insert = (_request: ReceivedRequest, nth: number) =>
      nth === 1 ? refusal(400, messageId, 'Not like that.') : undefined;
    await using service = await FakeService.start(slotHandlers({ insert }));
    await withSlot(service, (slot) => slot.insert({ url }, soon()));
    expect(service.requests.findLast(({ path }) => path === insertPath)?.body).toEqual(body);
  });

  it('changes the resource where there are no actions', async () => {
    await using service = await FakeService.start(slotHandlers({ hasActions: false }));
    await withSlot(service, async (slot) => {
      await slot.insert({ url }, soon());
      await slot.eject(soon());
    });
    expect(service.count('PATCH', slotPath)).toBe(2);
  });
});

describe('ejecting', () => {
  it('does nothing to an empty slot', async () => {
    await using service = await FakeService.start(slotHandlers({}));
    await withSlot(service, (slot) => slot.eject(soon()));
    expect(actionsOf(service)).toEqual([]);
  });

  it.each([
    ['not inserted', { Inserted: false, Image: url }],
    ['inserted, but not connected', { Inserted: true, Image: url, ConnectedVia: 'NotConnected' }],
  ])('succeeds although the BMC refuses to eject what it notes as %s', async (_title, media) => {
    await using service = await FakeService.start(slotHandlers({ media, eject: () => ({ status: 400 }) }));
    await withSlot(service, (slot) => slot.eject(soon()));
    expect(actionsOf(service)).toEqual(['EjectMedia']);
  });

  it('succeeds when only the answer was lost', async () => {
    const media: Record<string, unknown> = { Inserted: true, Image: url };
    const eject = (): Answer => {
      Object.assign(media, { Inserted: false, Image: null });
      return { fault: 'reset' };
    };
    await using service = await FakeService.start(slotHandlers({ media, eject }));
    await withSlot(service, (slot) => slot.eject(soon()));
    expect(media).toMatchObject({ Inserted: false });
  });

  it('is an error when the BMC refuses to eject what is there', async () => {
    const media = { Inserted: true, Image: url, ConnectedVia: 'URI' };
    await using service = await FakeService.start(slotHandlers({ media, eject: () => ({ status: 400 }) }));
    await expect(withSlot(service, (slot) => slot.eject(soon()))).rejects.toMatchObject({ code: 'BMC_FAILURE' });
  });

  it('is an error when the BMC keeps the image', async () => {
    const media = { Inserted: true, Image: url };
    await using service = await FakeService.start(slotHandlers({ media, eject: () => ({ status: 204 }) }));
    const message = expect.stringContaining('still shows an image');
    await expect(withSlot(service, (slot) => slot.eject(soon()))).rejects.toMatchObject({
      code: 'BMC_FAILURE',
      message,
    });
  });
});

describe('the slots of a system', () => {
  const collectionPath = '/redfish/v1/Managers/1/VirtualMedia';
  const handlers: Readonly<Record<string, Handler>> = {
    ...sessionHandlers(),
    [`GET ${systemPath}`]: () => ({ json: { Links: { ManagedBy: [{ '@odata.id': '/redfish/v1/Managers/1' }] } } }),
    'GET /redfish/v1/Managers/1': () => ({ json: { VirtualMedia: { '@odata.id': collectionPath } } }),
    [`GET ${collectionPath}`]: () => ({
      json: { Members: [{ '@odata.id': `${collectionPath}/1` }, { '@odata.id': `${collectionPath}/2` }] },
    }),
    [`GET ${collectionPath}/1`]: () => ({ json: { MediaTypes: ['Floppy', 'USBStick'] } }),
    [`GET ${collectionPath}/2`]: () => ({ json: { MediaTypes: ['CD', 'DVD'] } }),
  };

  it('are found at its manager', async () => {
    await using service = await FakeService.start(handlers);
    await using client = createClient(service);
    const slots = await new ComputerSystem(client, systemPath).virtualMedia(soon());
    expect(slots.map(({ path }) => path)).toEqual([`${collectionPath}/1`, `${collectionPath}/2`]);
  });

  it.each([
    [['CD'], `${collectionPath}/2`],
    [['USBStick', 'CD'], `${collectionPath}/1`],
    [[], undefined],
  ] as const)('are chosen by media type: %j', async (types, path) => {
    await using service = await FakeService.start(handlers);
    await using client = createClient(service);
    const slots = await new ComputerSystem(client, systemPath).virtualMedia(soon());
    expect((await chooseSlot(slots, types, soon()))?.path).toBe(path);
  });
});
