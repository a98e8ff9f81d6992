import { type StreamedContent } from '@ironbark/http';
import { segment, unlessMissing } from '../resource.ts';
import { ServiceClient, type ServiceRequest } from '../service-client.ts';
import type { EndpointOptions } from '../session/session-options.ts';
import type { Session } from '../session/session.ts';
import { imageAnswer, membersAnswer } from './answers.ts';
import type { Image, ImageCatalogue, ImageMember } from './image-catalogue.ts';

export interface ImageCatalogueOptions {
  /** The endpoint may end in `/v2` or before it. */
  readonly endpoint: EndpointOptions;
}

/** @param session is not closed by what is returned. */
export function createImageCatalogue(session: Session, options: ImageCatalogueOptions): ImageCatalogue {
  return new GlanceClient(session, options);
}

/** With the usual wildcard in it Glance words its refusals in HTML. */
const accept = 'application/octet-stream, application/json';

/** Image service API v2, reference at https://docs.openstack.org/api-ref/image/v2/. */
class GlanceClient implements ImageCatalogue {
  readonly #session: Session;
  readonly #endpoint: EndpointOptions;
  readonly #client: ServiceClient;

  constructor(session: Session, { endpoint }: ImageCatalogueOptions) {
    const address =
      endpoint.override === null ? 'the endpoint of Glance in the catalogue' : `${session.settings}.endpoint_override`;
    this.#session = session;
    this.#endpoint = endpoint;
    this.#client = new ServiceClient(session, { name: 'Glance', address });
  }

  async findImage(imageId: string, signal: AbortSignal): Promise<Image | undefined> {
    return unlessMissing(this.#read(imageAnswer, segment(imageId, 'Glance'), signal));
  }

  async listMembers(imageId: string, signal: AbortSignal): Promise<readonly ImageMember[]> {
    return this.#read(membersAnswer, `${segment(imageId, 'Glance')}/members`, signal);
  }

  async content(imageId: string, signal: AbortSignal, offset = 0): Promise<StreamedContent> {
    const request = await this.#locate(`${segment(imageId, 'Glance')}/file`, signal);
    const headers = { accept, ...(offset === 0 ? {} : { range: `bytes=${offset}-` }) };
    const { status, headers: received, content } = await this.#client.stream({ ...request, headers });
    const isWanted = offset === 0 ? status === 200 : received.get('content-range')?.startsWith(`bytes ${offset}-`);
    if (content !== null && isWanted === true) return content;
    content?.close();
    // 204: nothing was uploaded yet.
    const from = offset === 0 ? '' : ` from byte ${offset} on`;
    throw this.#client.malformed(request, `no content${from} (HTTP ${status})`);
  }

  async #read<T>(
    schema: { safeParse(body: unknown): { readonly success: boolean; readonly data?: T } },
    path: string,
    signal: AbortSignal,
  ): Promise<T> {
    const request = await this.#locate(path, signal);
    const { body } = await this.#client.request(request);
    const { success, data } = schema.safeParse(body);
    if (success) return data as T;
    throw this.#client.malformed(request, 'an answer that lacks what the Image service API v2 promises');
  }

  async #locate(path: string, signal: AbortSignal): Promise<ServiceRequest & { readonly method: 'GET' }> {
    const url = await this.#session.endpointOf('image', this.#endpoint, signal);
    return { method: 'GET', url: `${url.replace(/\/v2$/, '')}/v2/images/${path}`, signal };
  }
}
