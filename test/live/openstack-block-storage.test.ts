import { randomUUID } from 'node:crypto';
import { isSecret, parseVolumeConnection, Secret, silentLogger, type Info } from '@ironbark/core';
import { OpenStackAccess, type OpenStackUser } from '@ironbark/lab/openstack';
import {
  createBlockStorage,
  defaultPatience,
  Session,
  type BlockStorage,
  type Connector,
  type EndpointOptions,
} from '@ironbark/openstack';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { IdentityClient } from './identity-client.ts';

const openstack = new OpenStackAccess(inject('openstack'));
const { conductor, demo } = openstack.users;
const endpoint: EndpointOptions = { region: openstack.region, interfaces: ['internal', 'public'], override: null };
const sessions: Session[] = [];

const soon = () => AbortSignal.timeout(60_000);

function sessionOf({ username, password, project }: OpenStackUser): Session {
  const domain = { name: 'Default' };
  const credentials = { method: 'password', user: { name: username, domain }, password: Secret.of(password) } as const;
  const scope = { project: { name: project, domain } };
  const auth = { kind: 'keystone', url: openstack.authUrl, credentials, scope } as const;
  const session = new Session(
    { auth, verifyCa: true, patience: defaultPatience },
    { log: silentLogger, settings: 'settings.cinder' },
  );
  sessions.push(session);
  return session;
}

const session = sessionOf(conductor);
const cinder = createBlockStorage(session, { endpoint });

/** Volumes of another project than ours, since those are what a conductor attaches. */
let id: string;
let multiattachId: string;
let node: string;
let connector: Connector;

beforeAll(async () => {
  [id, multiattachId] = await Promise.all([
    openstack.createVolume({ name: 'plain' }).then((volume) => volume.id),
    openstack.createVolume({ name: 'shared', multiattach: true }).then((volume) => volume.id),
  ]);
});

beforeEach(async () => {
  node = randomUUID();
  connector = { host: node, initiator: 'iqn.2026-01.example:node', ip: '127.0.0.1' };
  await openstack.resetVolume(id);
});

afterAll(async () => {
  await Promise.all([id, multiattachId].map((volume) => openstack.deleteVolume(volume)));
  await Promise.all(sessions.map((each) => each.close()));
});

const statusOf = async (volume = id) => (await cinder.getVolume(volume, soon())).status;

function expectIscsi(type: string | undefined, data: Info | undefined): void {
  const connection = parseVolumeConnection(type ?? '', data ?? {}, 'the volume');
  expect(connection).toMatchObject({ kind: 'iscsi', paths: [{ iqn: expect.stringContaining(id) }] });
  expect(isSecret(data?.['auth_password'])).toBe(true);
}

describe('the service', () => {
  it('tells its newest microversion', async () => {
    const { maxVersion, hasAttachments } = await cinder.capabilities(soon());
    expect(maxVersion).toMatch(/^3\.\d\d$/);
    expect(hasAttachments).toBe(true);
  });

  it.each([
    ['with a project', (url: string) => `${url}/%(project_id)s`],
    ['without a project', (url: string) => url],
    ['without a version', (url: string) => url.replace(/\/v3$/, '')],
  ])('is reached by an address %s', async (_title, form) => {
    const override = form(openstack.blockStorageUrl);
    const other = createBlockStorage(session, { endpoint: { ...endpoint, override } });
    expect(await other.getVolume(id, soon())).toEqual(await cinder.getVolume(id, soon()));
  });

  it('does not show a volume that does not exist', async () => {
    await expect(cinder.getVolume(node, soon())).rejects.toMatchObject({
      code: 'OPENSTACK_NOT_FOUND',
      httpStatus: 404,
      mayHaveActed: false,
      message: expect.stringContaining(`Volume ${node} could not be found.`),
    });
  });

  it('shows metadata that we set, finds volumes by it, and forgets it', async () => {
    await cinder.setVolumeMetadata(id, { ironbark_test_1: 'a', other: 'b' }, soon());
    const marked = await cinder.listVolumesMarked('ironbark_test_', soon());
    expect(marked.map((volume) => volume.id)).toEqual([id]);
    expect(marked[0]?.metadata).toMatchObject({ ironbark_test_1: 'a', other: 'b' });
    await cinder.deleteVolumeMetadata(id, 'ironbark_test_1', soon());
    await cinder.deleteVolumeMetadata(id, 'ironbark_test_1', soon());
    expect(await cinder.listVolumesMarked('ironbark_test_', soon())).toEqual([]);
  });
});

describe('attachments', () => {
  it('go from reserved to attached and away, and can be asked for twice at each step', async () => {
    const made = await cinder.createAttachment(id, node, soon());
    expect(made).toMatchObject({ volumeId: id, instanceUuid: node, status: 'reserved', connection: null });
    expect(await statusOf()).toBe('reserved');

    const { connection } = await cinder.updateAttachment(made.id, connector, soon());
    expectIscsi(connection?.driverVolumeType, connection?.data);
    expect((await cinder.updateAttachment(made.id, connector, soon())).connection).toMatchObject({
      data: { target_iqn: connection?.data['target_iqn'], auth_username: connection?.data['auth_username'] },
    });
    expect(await statusOf()).toBe('attaching');

    await cinder.completeAttachment(made.id, soon());
    await cinder.completeAttachment(made.id, soon());
    expect(await cinder.getVolume(id, soon())).toMatchObject({
      status: 'in-use',
      attachments: [{ attachmentId: made.id, serverId: node, hostName: node }],
    });
    const found = await cinder.findAttachment(made.id, soon());
    expect(found?.status).toBe('attached');
    expectIscsi(found?.connection?.driverVolumeType, found?.connection?.data);

    await cinder.deleteAttachment(made.id, soon());
    await cinder.deleteAttachment(made.id, soon());
    expect(await cinder.findAttachment(made.id, soon())).toBeUndefined();
    expect(await statusOf()).toBe('available');
    expect(await openstack.leaks([id])).toEqual([]);
  });

  it('are listed by volume and by instance, in whatever project', async () => {
    const made = await cinder.createAttachment(id, node, soon());
    const expected = [{ ...made, connection: null }];
    expect(await cinder.listAttachments({ volumeId: id }, soon())).toEqual(expected);
    expect(await cinder.listAttachments({ instanceUuid: node }, soon())).toEqual(expected);
    expect(await cinder.listAttachments({ instanceUuid: randomUUID() }, soon())).toEqual([]);
  });

  it('are refused for a volume that somebody else has reserved', async () => {
    await cinder.createAttachment(id, randomUUID(), soon());
    await expect(cinder.createAttachment(id, node, soon())).rejects.toMatchObject({
      code: 'OPENSTACK_REJECTED',
      httpStatus: 400,
      mayHaveActed: false,
      message: expect.stringContaining('the current status is reserved'),
    });
  });

  it('need what the storage wants to know about the machine', async () => {
    const { id: attachment } = await cinder.createAttachment(id, node, soon());
    const error = await cinder.updateAttachment(attachment, { host: node }, soon()).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: 'ServiceError', message: expect.not.stringContaining('Traceback') });
    await cinder.deleteAttachment(attachment, soon());
    expect(await statusOf()).toBe('available');
  });

  it('of two machines share a multi-attach volume', async () => {
    const nodes = [randomUUID(), randomUUID()];
    const made: string[] = [];
    // One after the other: of two that reserve a volume at the same instant Cinder refuses one.
    for (const host of nodes) {
      const attachment = await cinder.createAttachment(multiattachId, host, soon());
      made.push(attachment.id);
      await cinder.updateAttachment(attachment.id, { ...connector, host }, soon());
      await cinder.completeAttachment(attachment.id, soon());
    }
    const { attachments, multiattach } = await cinder.getVolume(multiattachId, soon());
    expect(multiattach).toBe(true);
    expect(new Set(attachments.map(({ serverId }) => serverId))).toEqual(new Set(nodes));
    for (const attachment of made) await cinder.deleteAttachment(attachment, soon());
    expect(await statusOf(multiattachId)).toBe('available');
    expect(await openstack.leaks([multiattachId])).toEqual([]);
  });
});

describe('volume actions', () => {
  it('attach and detach a volume, and can be repeated where that is said', async () => {
    await cinder.reserve(id, soon());
    expect(await statusOf()).toBe('attaching');
    const { driverVolumeType, data } = await cinder.initializeConnection(id, connector, soon());
    expectIscsi(driverVolumeType, data);
    await cinder.initializeConnection(id, connector, soon());
    await cinder.attach(id, node, '/dev/sda', soon());
    await cinder.attach(id, node, '/dev/sda', soon());
    const { status, attachments } = await cinder.getVolume(id, soon());
    expect(status).toBe('in-use');
    expect(attachments).toMatchObject([{ serverId: node }]);

    await cinder.beginDetaching(id, soon());
    await cinder.rollDetaching(id, soon());
    await cinder.rollDetaching(id, soon());
    expect(await statusOf()).toBe('in-use');
    await cinder.beginDetaching(id, soon());
    await cinder.terminateConnection(id, connector, soon());
    await cinder.terminateConnection(id, connector, soon());
    await cinder.detach(id, attachments[0]?.attachmentId ?? null, soon());
    expect(await statusOf()).toBe('available');
    expect(await openstack.leaks([id])).toEqual([]);
  });

  it('take a reservation back', async () => {
    await cinder.reserve(id, soon());
    await cinder.unreserve(id, soon());
    await cinder.unreserve(id, soon());
    expect(await statusOf()).toBe('available');
  });

  it('detach the only attachment without its id', async () => {
    await cinder.reserve(id, soon());
    await cinder.attach(id, node, '/dev/sda', soon());
    await cinder.beginDetaching(id, soon());
    await cinder.detach(id, null, soon());
    expect(await statusOf()).toBe('available');
  });

  it('tell what Cinder says, without its traceback', async () => {
    await cinder.reserve(id, soon());
    await cinder.attach(id, node, '/dev/sda', soon());
    const error = await cinder.attach(id, randomUUID(), '/dev/sda', soon()).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      httpStatus: 400,
      message: expect.stringMatching(
        /\(os-attach\) failed with HTTP 400: Invalid volume: volume is already attached and multiple attachments are not enabled$/,
      ),
    });
  });
});

describe('other users', () => {
  it('see nothing of volumes that are not theirs', async () => {
    const own = await openstack.createVolume({ name: 'own', owner: 'conductor' });
    const theirs: BlockStorage = createBlockStorage(sessionOf(demo), { endpoint });
    await expect(theirs.getVolume(own.id, soon())).rejects.toMatchObject({ code: 'OPENSTACK_NOT_FOUND' });
    expect((await theirs.listVolumesMarked('', soon())).map((volume) => volume.id)).not.toContain(own.id);
    await openstack.deleteVolume(own.id);
  });

  it('act through us with their token: the attachment of an instance goes, which Cinder leaves to services', async () => {
    const { token, projectId } = await new IdentityClient(openstack.authUrl).logIn(demo);
    const user = { token: Secret.of(token), projectId };
    const theirs = createBlockStorage(session, { endpoint, user });
    const { id: attachment } = await theirs.createAttachment(id, node, soon());
    await theirs.updateAttachment(attachment, connector, soon());
    const alone = createBlockStorage(sessionOf(demo), { endpoint });
    await expect(alone.deleteAttachment(attachment, soon())).rejects.toMatchObject({ name: 'ServiceError' });
    await theirs.deleteAttachment(attachment, soon());
    expect(await statusOf()).toBe('available');
  });

  it('cannot act through us without a token of theirs', async () => {
    const user = { token: Secret.of('nonsense'), projectId: 'p1' };
    const theirs = createBlockStorage(session, { endpoint, user });
    await expect(theirs.getVolume(id, soon())).rejects.toMatchObject({ code: 'OPENSTACK_UNAUTHORIZED' });
  });
});
