import { IronbarkError, type Logger } from '@ironbark/core';
import type { HttpVoice } from '@ironbark/http';
import { imageError } from '../image-error.ts';

const verifyCa = 'settings.images.verify_ca';
const settingNames = {
  service: 'image server',
  address: 'the URL of the image',
  ca: verifyCa,
  insecure: { setting: verifyCa, value: 'false' },
};

/** How requests to image servers are spoken of. */
export function urlVoice(log: Logger): HttpVoice {
  const describe = ({ url }: { readonly url: string }) => `GET ${withoutQuery(url)}`;
  return {
    describe,
    unreachable: (fault, request) =>
      imageError('IMAGE_UNAVAILABLE', `${describe(request)} failed: ${fault.problem}.`, {
        hint: fault.hint(settingNames),
        retryable: fault.retryable,
        details: { codes: fault.codes },
      }),
    malformed: (problem, request) =>
      imageError('IMAGE_UNAVAILABLE', `${describe(request)} gave ${problem}.`, {
        hint: 'Give the URL that the image is really at.',
      }),
    caFile: ({ path, problem, cause }) =>
      new IronbarkError('CONFIG_INVALID', `The CA file ${path} for image servers ${problem}.`, {
        hint: `Put a PEM file there, readable for the conductor, or correct ${verifyCa}.`,
        cause,
      }),
    repeating: (request, facts) =>
      log.debug({ image: withoutQuery(request.url), ...facts }, 'Repeating a request to an image server.'),
  };
}

/** The query of a signed URL is a credential. */
export function withoutQuery(url: string): string {
  return url.replace(/\?.*$/s, '');
}
