import { Secret, type BootVolume, type IscsiBoot, type IscsiConnection, type IscsiPath } from '@ironbark/core';
import type { NodeScriptOptions } from '../src/index.ts';

export const scriptOptions: NodeScriptOptions = {
  attempts: 5,
  delaySeconds: 5,
  rebootDelaySeconds: 60,
  downloadTimeoutSeconds: 60,
  ibftTargets: 2,
  multipath: false,
};

export const reportUrl = { prefix: 'http://192.0.2.1:6385/ironbark/v1/boot-report?token=', token: Secret.of('t0ken') };

export function iscsiPath(overrides: Partial<IscsiPath> = {}): IscsiPath {
  return { portal: { host: 'storage.example', port: 3260 }, iqn: 'iqn.2010-10.org.example:boot', lun: 0, ...overrides };
}

export function chap(username: string, password: string, mutual: IscsiConnection['chap'] = null) {
  return { username, password: Secret.of(password), mutual };
}

export function bootVolume(number: number, connection: Partial<IscsiConnection> = {}): BootVolume<IscsiConnection> {
  return {
    targetUuid: `target-${number}`,
    volumeId: `volume-${number}`,
    connection: {
      kind: 'iscsi',
      paths: [iscsiPath({ lun: number })],
      chap: chap(`user${number}`, `password${number}`),
      ...connection,
    },
  };
}

export function iscsiBoot(overrides: Partial<IscsiBoot> = {}): IscsiBoot {
  return {
    kind: 'iscsi',
    initiatorIqn: 'iqn.2017-08.org.example:node',
    volume: bootVolume(0),
    extraVolumes: [],
    system: null,
    ...overrides,
  };
}
