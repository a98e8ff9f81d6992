import { readlink } from 'node:fs/promises';

/** Environment variable that names the network namespace which a program left, as {@link namespaceOf} does. */
export const leftNamespaceVariable = 'IRONBARK_LAB_LEFT_NAMESPACE';

/** The network namespace of a process, "net:[4026531840]"; undefined when this user may not know. */
export async function namespaceOf(pid: string): Promise<string | undefined> {
  return readlink(`/proc/${pid}/ns/net`).catch(() => undefined);
}
