import { Secret, silentLogger } from '@ironbark/core';
import { OpenStackAccess } from '@ironbark/lab/openstack';
import {
  createTokenValidator,
  defaultPatience,
  Session,
  type Auth,
  type Credentials,
  type EndpointOptions,
  type Scope,
} from '@ironbark/openstack';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { IdentityClient } from './identity-client.ts';

const openstack = new OpenStackAccess(inject('openstack'));
const identity = new IdentityClient(openstack.authUrl);
const { conductor, demo, admin, reader } = openstack.users;
const domain = { name: 'Default' };
const endpoint: EndpointOptions = { region: openstack.region, interfaces: ['internal', 'public'], override: null };

const soon = () => AbortSignal.timeout(30_000);

function createSession(credentials: Credentials, scope: Scope | null, url = openstack.authUrl): Session {
  const auth: Auth = { kind: 'keystone', url, credentials, scope };
  const options = { auth, verifyCa: true, patience: defaultPatience };
  const session = new Session(options, { log: silentLogger, settings: 'settings.cinder' });
  onTestFinished(() => session.close());
  return session;
}

function byPassword({ username, password }: { readonly username: string; readonly password: string }): Credentials {
  return { method: 'password', user: { name: username, domain }, password: Secret.of(password) };
}

const inProject = (name: string): Scope => ({ project: { name, domain } });

/** Whose token it is, as Keystone itself says. */
async function ownerOf(session: Session) {
  const validator = createTokenValidator(createSession(byPassword(conductor), inProject(conductor.project)));
  return validator.validate((await session.token(soon())).value, soon());
}

describe('a login at Keystone', () => {
  it('by password, for a project', async () => {
    const session = createSession(byPassword(conductor), inProject(conductor.project));
    expect((await session.token(soon())).roles).toEqual(expect.arrayContaining(['admin', 'service']));
    expect(await ownerOf(session)).toMatchObject({
      user: { name: conductor.username, domain: { name: 'Default' } },
      project: { name: conductor.project },
      system: false,
    });
  });

  it('by password, for the whole system', async () => {
    const session = createSession(byPassword(admin), { system: { all: true } });
    expect(await ownerOf(session)).toMatchObject({
      project: null,
      system: true,
      roles: expect.arrayContaining(['admin']),
    });
    expect((await session.token(soon())).projectId).toBeNull();
  });

  it('by password, for nothing', async () => {
    const session = createSession(byPassword(demo), { unscoped: {} });
    expect(await ownerOf(session)).toMatchObject({ project: null, domain: null, system: false, roles: [] });
  });

  it('by a token, for another project of the same user', async () => {
    const { token } = await identity.logIn(demo);
    const session = createSession({ method: 'token', token: Secret.of(token) }, inProject(demo.project));
    expect(await ownerOf(session)).toMatchObject({ user: { name: demo.username }, project: { name: demo.project } });
  });

  describe('by an application credential', () => {
    const secret = 'lab-application-secret';
    const name = 'lab-application';
    let id: string;
    let url: string;
    let headers: Readonly<Record<string, string>>;

    beforeAll(async () => {
      const session = createOwnSession();
      const token = (await session.token(soon())).value;
      const owner = await createTokenValidator(session).validate(token, soon());
      url = `${openstack.authUrl}/users/${owner?.user.id}/application_credentials`;
      headers = { 'x-auth-token': token.reveal(), 'content-type': 'application/json' };
      const body = JSON.stringify({ application_credential: { name, secret } });
      const response = await fetch(url, { method: 'POST', headers, body });
      ({ id } = ((await response.json()) as { application_credential: { id: string } }).application_credential);
      await session.close();
    });

    afterAll(async () => {
      await fetch(`${url}/${id}`, { method: 'DELETE', headers });
    });

    it.each(['id', 'name'])('that is named by its %s', async (key) => {
      const credentials: Credentials =
        key === 'id'
          ? { method: 'application_credential', id, secret: Secret.of(secret) }
          : {
              method: 'application_credential',
              name,
              user: { name: conductor.username, domain },
              secret: Secret.of(secret),
            };
      const owner = await ownerOf(createSession(credentials, null));
      expect(owner).toMatchObject({ user: { name: conductor.username }, project: { name: conductor.project } });
    });
  });

  it.each([
    ['a wrong password', { ...demo, password: 'wrong' }, demo.project],
    ['an unknown user', { username: 'nobody', password: 'x' }, demo.project],
    ['a project without a role', demo, conductor.project],
  ])('with %s is refused', async (_title, user, project) => {
    const session = createSession(byPassword(user), inProject(project));
    await expect(session.token(soon())).rejects.toMatchObject({
      code: 'OPENSTACK_UNAUTHORIZED',
      message: `Keystone ${openstack.authUrl} refuses the credentials of settings.cinder.`,
    });
  });

  it('says that something else answers at the address', async () => {
    const url = openstack.blockStorageUrl;
    const session = createSession(byPassword(demo), inProject(demo.project), url);
    await expect(session.token(soon())).rejects.toMatchObject({ name: 'ServiceError' });
  });
});

describe('the catalogue of Keystone', () => {
  it('has Cinder', async () => {
    const session = createSession(byPassword(conductor), inProject(conductor.project));
    const { projectId } = await session.token(soon());
    const url = await session.endpointOf('block-storage', endpoint, soon());
    expect(url).toBe(`${openstack.blockStorageUrl}/${projectId}`);
  });

  it('has nothing in a region that does not exist', async () => {
    const session = createSession(byPassword(conductor), inProject(conductor.project));
    const call = session.endpointOf('block-storage', { ...endpoint, region: 'Nowhere' }, soon());
    await expect(call).rejects.toMatchObject({ code: 'OPENSTACK_NO_ENDPOINT' });
  });
});

describe('the validation of tokens', () => {
  it('tells users and their roles', async () => {
    const session = createSession(byPassword(reader), inProject(reader.project));
    expect(await ownerOf(session)).toMatchObject({ user: { name: 'reader' }, roles: ['reader'] });
  });

  it('does not know what is no token', async () => {
    const validator = createTokenValidator(createOwnSession());
    expect(await validator.validate(Secret.of('nonsense'), soon())).toBeUndefined();
  });

  it('does not know a revoked token once the answer is forgotten', async () => {
    const validator = createTokenValidator(createOwnSession(), { cacheSeconds: 0 });
    const { token } = await identity.logIn(demo);
    await expect(validator.validate(Secret.of(token), soon())).resolves.toBeDefined();
    await identity.revoke(token);
    await expect(validator.validate(Secret.of(token), soon())).resolves.toBeUndefined();
  });

  it('goes on with a new token of ours when the old one is revoked', async () => {
    const session = createOwnSession();
    const first = await session.token(soon());
    await identity.revoke(first.value.reveal());
    const { token } = await identity.logIn(demo);
    const owner = await createTokenValidator(session).validate(Secret.of(token), soon());
    expect(owner?.user.name).toBe(demo.username);
    expect(await session.token(soon())).not.toBe(first);
  });

  it('needs a user with the right to ask', async () => {
    const validator = createTokenValidator(createSession(byPassword(demo), inProject(demo.project)));
    const { token } = await identity.logIn(reader);
    await expect(validator.validate(Secret.of(token), soon())).rejects.toMatchObject({ code: 'OPENSTACK_FORBIDDEN' });
  });
});

function createOwnSession(): Session {
  const auth: Auth = {
    kind: 'keystone',
    url: openstack.authUrl,
    credentials: byPassword(conductor),
    scope: inProject(conductor.project),
  };
  return new Session({ auth, verifyCa: true, patience: defaultPatience }, { log: silentLogger, settings: 'api.auth' });
}
