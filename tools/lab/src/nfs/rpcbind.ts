import { run, startService, type Service } from '../child-process.ts';
import { LabError } from '../lab-error.ts';
import { assertOwnNamespace } from '../network/lab-network.ts';
import { poll } from '../wait.ts';

/** Starts the port mapper of ONC RPC, in which servers of NFSv3 register. It is one for a network and has a fixed port. */
export async function startRpcbind(): Promise<Service> {
  // On the host it would be everybody's, and its socket in /run too.
  await assertOwnNamespace();
  const service = startService('rpcbind', ['-f', '-w']);
  const isReady = async (): Promise<true | undefined> => {
    if (!service.isRunning()) {
      throw new LabError('LAB_PROCESS_ENDED', `rpcbind ended at once.\n${(await service.exited).stderr}`);
    }
    return run('rpcinfo', ['-p'], { timeoutMs: 5000 }).then(
      () => true,
      () => undefined,
    );
  };
  try {
    await poll(isReady, { what: 'rpcbind to answer', timeoutMs: 10_000 });
  } catch (error) {
    await service.stop('SIGKILL');
    throw error;
  }
  return service;
}
