import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { formatImageReference, isIronbarkError, parseImageReference, type ImageReference } from '../src/index.ts';

const id = '7c2f3a9e-1111-4222-8333-444455556666';

it.each<[string, ImageReference]>([
  [id, { kind: 'glance', id }],
  [id.toUpperCase(), { kind: 'glance', id }],
  [`glance://${id}`, { kind: 'glance', id }],
  [`glance:${id}`, { kind: 'glance', id }],
  ['http://192.0.2.1/vmlinuz', { kind: 'url', url: 'http://192.0.2.1/vmlinuz' }],
  ['HTTPS://images.example/a?b=c', { kind: 'url', url: 'https://images.example/a?b=c' }],
  ['file:///srv/images/kernel', { kind: 'file', path: '/srv/images/kernel' }],
  ['file:///srv/my%20images/kernel', { kind: 'file', path: '/srv/my images/kernel' }],
])('reads %s', (text, reference) => {
  expect(parseImageReference(text, 'kernel')).toEqual(reference);
});

it.each([
  '',
  'vmlinuz',
  '/srv/images/kernel',
  'ftp://a/b',
  'swift:container/object',
  'http://',
  'http://a/b c',
  'http://a/\nb',
  'http://user:word@a/b',
  'http://a/b#c',
  'file://otherhost/srv/kernel',
  'file:///srv/%00',
  `${id}/../x`,
])('refuses %j, naming the field', (text) => {
  expect(() => parseImageReference(text, 'instance_info.kernel')).toThrow(
    expect.objectContaining({
      code: 'INVALID_PARAMETER',
      message: expect.stringContaining('instance_info.kernel') as string,
    }),
  );
});

it.each(['http://user:sesame@a/b', 'http://user:sesame@a:99999/b', 'http://user:ses ame@a/b'])(
  'does not repeat the credentials of %s',
  (text) => {
    expect(() => parseImageReference(text, 'kernel')).toThrow(/^(?!.*ses ?ame)/s);
  },
);

it('reads back what it writes, for every reference', () => {
  const anyText = fc.oneof(
    fc.webUrl({ withQueryParameters: true }),
    fc.uuid(),
    fc.string().map((path) => `file:///${encodeURIComponent(path)}`),
  );
  fc.assert(
    fc.property(anyText, (text) => {
      const reference = attempt(text);
      if (reference === undefined) return;
      expect(parseImageReference(formatImageReference(reference), 'image')).toEqual(reference);
    }),
  );
});

function attempt(text: string): ImageReference | undefined {
  try {
    return parseImageReference(text, 'image');
  } catch (error) {
    if (isIronbarkError(error)) return undefined;
    throw error;
  }
}
