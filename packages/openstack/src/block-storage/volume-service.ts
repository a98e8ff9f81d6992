import type { Secret } from '@ironbark/core';
import { unlessAborted, type HttpReply } from '@ironbark/http';
import { ServiceClient, type ServiceRequest } from '../service-client.ts';
import type { EndpointOptions } from '../session/session-options.ts';
import type { Session } from '../session/session.ts';
import { versionsAnswer } from './answers.ts';
import { knownMinor, noProjectMinor, parseMinor, type Minor } from './microversion.ts';

export interface VolumeRequest extends Omit<ServiceRequest, 'url' | 'headers'> {
  /** Behind the endpoint, with a slash at the beginning. */
  readonly path: string;
}

export interface BlockStorageOptions {
  /** The endpoint may end in `/v3`, in `/v3/<project>` or before both. */
  readonly endpoint: EndpointOptions;
  /** In whose name requests are made. Default: our own. Nothing can renew the token of somebody else. */
  readonly user?: { readonly token: Secret; readonly projectId: string };
}

/** The Block Storage service of a session: finds its endpoint and its microversion, and asks it. */
export class VolumeService {
  readonly client: ServiceClient;
  readonly #session: Session;
  readonly #options: BlockStorageOptions;
  #offer: { readonly root: string; readonly minor: Promise<Minor> } | undefined;

  constructor(session: Session, options: BlockStorageOptions) {
    this.#session = session;
    this.#options = options;
    const { endpoint, user } = options;
    const address =
      endpoint.override === null ? 'the endpoint of Cinder in the catalogue' : `${session.settings}.endpoint_override`;
    const userToken = user === undefined ? {} : { userToken: user.token };
    this.client = new ServiceClient(session, { name: 'Cinder', address, ...userToken });
  }

  /** The newest microversion of the service. */
  async newest(signal: AbortSignal): Promise<Minor> {
    const { root } = await this.#place(signal);
    return this.#newestAt(root, signal);
  }

  async request({ path, ...request }: VolumeRequest): Promise<HttpReply> {
    return this.client.request(await this.#locate(path, request));
  }

  /** @returns the body in the form that the schema gives it. @throws ServiceError: `OPENSTACK_MALFORMED` and others. */
  async read<T>(
    schema: { safeParse(body: unknown): { readonly success: boolean; readonly data?: T } },
    { path, ...request }: VolumeRequest,
  ): Promise<T> {
    const located = await this.#locate(path, request);
    const { body } = await this.client.request(located);
    const { success, data } = schema.safeParse(body);
    if (success) return data as T;
    throw this.client.malformed(located, 'an answer that lacks what Block Storage v3 promises');
  }

  async #locate(path: string, request: Omit<VolumeRequest, 'path'>): Promise<ServiceRequest> {
    const { root, own } = await this.#place(request.signal);
    const newest = await this.#newestAt(root, request.signal);
    const base = own ?? (newest >= noProjectMinor ? root : `${root}/${await this.#project(request.signal)}`);
    const headers = { 'openstack-api-version': `volume 3.${Math.min(newest, knownMinor)}` };
    return { ...request, headers, url: `${base}${path}` };
  }

  /** Where version 3 begins, and the endpoint itself where it has our project behind that. */
  async #place(signal: AbortSignal): Promise<{ readonly root: string; readonly own: string | undefined }> {
    const { endpoint, user } = this.#options;
    const url = await this.#session.endpointOf('block-storage', endpoint, signal);
    const [, root = `${url}/v3`, project] = /^(.*?\/v3)(\/.+)?$/.exec(url) ?? [];
    return { root, own: project === undefined || user !== undefined ? undefined : url };
  }

  async #project(signal: AbortSignal): Promise<string> {
    const { projectId } = this.#options.user ?? (await this.#session.token(signal));
    return projectId ?? '';
  }

  async #newestAt(root: string, signal: AbortSignal): Promise<Minor> {
    if (this.#offer?.root !== root) {
      const minor = this.#askVersions(root);
      this.#offer = { root, minor };
      minor.catch(() => {
        if (this.#offer?.minor === minor) this.#offer = undefined;
      });
    }
    return unlessAborted(this.#offer.minor, signal, `Cinder ${root}: versions`);
  }

  async #askVersions(root: string): Promise<Minor> {
    const request = { method: 'GET', url: `${root}/`, signal: new AbortController().signal } as const;
    const { body } = await this.client.request(request);
    const { data } = versionsAnswer.safeParse(body);
    const minors = data?.versions.flatMap(({ version }) => parseMinor(version ?? '') ?? []);
    if (minors?.[0] !== undefined) return minors[0];
    throw this.client.malformed(request, 'an answer that names no version 3 of Block Storage');
  }
}
