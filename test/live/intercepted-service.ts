import { ServiceError, type Attachment, type BlockStorage } from '@ironbark/openstack';

export interface Interception {
  /** Called before and after a call that makes something for a volume, and waited for. */
  readonly onCreate: (moment: 'before' | 'after', volumeId: string) => Promise<void>;
  /** Volumes that nobody may attach. */
  readonly refusesToAttach: Set<string>;
  /** Volumes whose release fails. */
  readonly refusesToRelease: Set<string>;
  /** Volumes whose release is not passed on, but is answered as if it were done. */
  readonly ignoresRelease: Set<string>;
  /** Takes the place of the service while it is set. */
  instead: BlockStorage | undefined;
}

const creations: readonly string[] = [
  'createAttachment',
  'updateAttachment',
  'reserve',
  'initializeConnection',
  'attach',
];
const releases: readonly string[] = ['deleteAttachment', 'terminateConnection', 'detach', 'unreserve'];

/** A Block Storage service whose calls a test watches and keeps back. */
export function interceptService(service: BlockStorage, interception: Interception): BlockStorage {
  const volumeOf = new Map<string, string>();
  const learn = (attachments: readonly Attachment[]): void => {
    for (const { id, volumeId } of attachments) volumeOf.set(id, volumeId);
  };
  const call = async (name: string, args: readonly unknown[]): Promise<unknown> => {
    const { onCreate, refusesToAttach, refusesToRelease, ignoresRelease, instead = service } = interception;
    const id = String(args[0]);
    const volumeId = volumeOf.get(id) ?? id;
    if (creations.includes(name) && refusesToAttach.has(volumeId)) throw refusal(name, volumeId);
    if (releases.includes(name) && refusesToRelease.has(volumeId)) throw refusal(name, volumeId);
    if (releases.includes(name) && ignoresRelease.has(volumeId)) return undefined;
    if (creations.includes(name)) await onCreate('before', volumeId);
    const method = Reflect.get(instead, name) as (...values: readonly unknown[]) => Promise<unknown>;
    const answer = await method.apply(instead, args as unknown[]);
    if (name === 'listAttachments') learn(answer as readonly Attachment[]);
    if (name === 'createAttachment') learn([answer as Attachment]);
    if (creations.includes(name)) await onCreate('after', volumeId);
    return answer;
  };
  return new Proxy(service, {
    get:
      (_target, name) =>
      (...args: readonly unknown[]) =>
        call(String(name), args),
  });
}

function refusal(name: string, volumeId: string): ServiceError {
  const message = `Cinder refuses ${name} of volume ${volumeId}.`;
  return new ServiceError('OPENSTACK_CONFLICT', message, { httpStatus: 409, mayHaveActed: false });
}
