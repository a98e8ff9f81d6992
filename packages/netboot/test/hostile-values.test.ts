import { isDeepStrictEqual } from 'node:util';
import { isIronbarkError, Secret, type IscsiBoot } from '@ironbark/core';
import { array, check, constantFrom, oneof, property, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderAutoexecScript, renderNodeScript, type KernelEntry, type ScriptSource } from '../src/index.ts';
import { readScript, skeletonOf, valuesOf } from '../src/ipxe-reader.ts';
import { bootVolume, chap, iscsiBoot, iscsiPath, reportUrl, scriptOptions } from './sources.ts';

/** Texts that mean something to iPXE, and any others, in any mixture. */
const hostile = array(
  oneof(
    constantFrom('\n', '\r', '\0', '\t', '\v', ' ', '\\', '||', '&&', ';', '#', ':', '${', '}', '-', '"', '..', '/'),
    constantFrom('\u0085', '\u00A0', '\u2028', '\uD800', 'goto fail', 'shell', '${password}', 'a', 'ä'),
    string({ unit: 'binary', maxLength: 8 }),
  ),
  { minLength: 1, maxLength: 6 },
).map((parts) => parts.join(''));

/** The script, or undefined when the value was refused by name. */
function render(source: ScriptSource, ramdisk?: KernelEntry): string | undefined {
  try {
    return renderNodeScript({ source, reportUrl, ramdisk }, scriptOptions).content.reveal();
  } catch (error) {
    if (isIronbarkError(error, 'INVALID_PARAMETER')) return undefined;
    throw error;
  }
}

function withMutual(username: string, password: string, reverseUsername: string, reversePassword: string): IscsiBoot {
  const mutual = { username: reverseUsername, password: Secret.of(reversePassword) };
  const hostileVolume = bootVolume(0, { chap: { ...chap(username, password), mutual } });
  return iscsiBoot({ volume: hostileVolume, extraVolumes: [bootVolume(1, hostileVolume.connection)] });
}

const settings = ['username', 'password', 'reverse-username', 'reverse-password'] as const;

/** A script with one hostile credential. */
function withCredential(setting: (typeof settings)[number], text: string): string | undefined {
  const values = settings.map((name) => (name === setting ? text : 'plain')) as [string, string, string, string];
  return render(withMutual(...values));
}

/** A text for which the predicate is false; null when none was found. */
function counterexample(predicate: (text: string) => boolean): unknown {
  return check(property(hostile, predicate), { numRuns: 1000 }).counterexample;
}

function isSameSkeleton(script: string | undefined, expected: string | undefined): boolean {
  return script === undefined || isDeepStrictEqual(skeletonOf(script), skeletonOf(expected ?? ''));
}

describe('whatever a record holds', () => {
  it.each(settings)('the %s arrives unchanged as the value of its setting, or is refused', (setting) => {
    const benign = withCredential(setting, 'plain');
    let arrived = 0;
    const found = counterexample((text) => {
      const script = withCredential(setting, text);
      arrived += script === undefined ? 0 : 1;
      const isUnchanged = script === undefined || valuesOf(script, setting).every((value) => value === text);
      return isUnchanged && isSameSkeleton(script, benign);
    });
    expect(found).toBeNull();
    expect(arrived).toBeGreaterThan(50);
  });

  it.each<[string, (text: string) => IscsiBoot]>([
    ['the initiator name', (text) => iscsiBoot({ initiatorIqn: text })],
    [
      'the portal',
      (text) => iscsiBoot({ volume: bootVolume(0, { paths: [iscsiPath({ portal: { host: text, port: 1 } })] }) }),
    ],
    ['the target name', (text) => iscsiBoot({ volume: bootVolume(0, { paths: [iscsiPath({ iqn: text })] }) })],
    [
      'the end of a target name',
      (text) => iscsiBoot({ volume: bootVolume(0, { paths: [iscsiPath({ iqn: `iqn.2010-10.org:${text}` })] }) }),
    ],
    ['ids of volumes', (text) => iscsiBoot({ volume: { ...bootVolume(0), targetUuid: text, volumeId: text } })],
  ])('%s adds neither lines nor commands', (_, make) => {
    const benign = render(iscsiBoot());
    expect(counterexample((text) => isSameSkeleton(render(make(text)), benign))).toBeNull();
  });

  it.each<[string, (text: string) => Partial<KernelEntry>]>([
    ['the kernel', (text) => ({ kernelUrl: `http://a/${text}` })],
    ['the ramdisk', (text) => ({ ramdiskUrl: `http://a/${text}` })],
    ['a kernel parameter', (text) => ({ parameters: [`a=${text}`] })],
    ['a whole kernel parameter', (text) => ({ parameters: [text] })],
  ])('%s of a ramdisk adds neither lines nor commands', (_, change) => {
    const plain: ScriptSource = {
      kind: 'ramdisk',
      kernelUrl: 'http://a/k',
      ramdiskUrl: 'http://a/r',
      parameters: ['a=b'],
    };
    const benign = render(plain);
    expect(counterexample((text) => isSameSkeleton(render({ ...plain, ...change(text) }), benign))).toBeNull();
  });
});

describe('whatever a record of another source holds', () => {
  const fibreChannel = (targetWwpn: string): ScriptSource => {
    const connection = { kind: 'fibre_channel', paths: [{ initiatorWwpn: null, targetWwpn, lun: 1 }] } as const;
    return { kind: 'fibre_channel', volume: { targetUuid: 't', volumeId: 'v', connection }, extraVolumes: [] };
  };
  const nfs: ScriptSource = { kind: 'nfs', kernelUrl: 'http://a/k', ramdiskUrl: 'http://a/r', parameters: ['a=b'] };

  it.each<[string, (text: string) => ScriptSource, ScriptSource]>([
    ['the WWPN of a target', fibreChannel, fibreChannel('500a098280feeba5')],
    ['the end of the WWPN', (text) => fibreChannel(`500a098280feeba5${text}`), fibreChannel('500a098280feeba5')],
    [
      'the URL of an ISO image',
      (text) => ({ kind: 'iso', url: `http://a/${text}` }),
      { kind: 'iso', url: 'http://a/i' },
    ],
    ['a parameter of an NFS root', (text) => ({ ...nfs, parameters: [`nfsroot=${text}`] }), nfs],
  ])('%s adds neither lines nor commands', (_, make, plain) => {
    const benign = render(plain);
    expect(benign).toBeDefined();
    expect(counterexample((text) => isSameSkeleton(render(make(text)), benign))).toBeNull();
  });

  it('the URL of the global script adds neither lines nor commands to autoexec.ipxe', () => {
    const autoexec = (url: string): string | undefined => {
      try {
        return renderAutoexecScript(url).reveal();
      } catch (error) {
        if (isIronbarkError(error, 'INVALID_PARAMETER')) return undefined;
        throw error;
      }
    };
    const benign = autoexec('http://a/boot.ipxe');
    expect(counterexample((text) => isSameSkeleton(autoexec(`http://a/${text}`), benign))).toBeNull();
  });
});

describe('the reader that judges', () => {
  it.each([
    ['a new line', 'set a b\nshell', 2],
    ['a separator', 'set a b || shell', 1],
    ['a label', ':label shell', 1],
    ['a joined line', 'set a b\\\nset c d', 1],
    ['a comment', 'set a #b', 1],
  ])('sees %s', (_, text, lines) => {
    expect(readScript(text)).toHaveLength(lines);
    const reading = (script: string) => [skeletonOf(script), valuesOf(script, 'a')];
    expect(reading(text)).not.toEqual(reading('set a b'));
  });
});
