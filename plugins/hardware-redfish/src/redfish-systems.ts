import { isIronbarkError, type Task } from '@ironbark/core';
import { ComputerSystem, findSystem, type RedfishClient, type RedfishClientPool } from '@ironbark/redfish';
import { parseDriverInfo } from './driver-info.ts';

/** The systems that nodes stand for, through clients that nodes share. */
export class RedfishSystems {
  readonly #clients: RedfishClientPool;
  /** Where a system was found, so that the BMC need not be searched each time. */
  readonly #paths = new WeakMap<RedfishClient, Map<string | null, string>>();

  constructor(clients: RedfishClientPool) {
    this.#clients = clients;
  }

  /**
   * Runs work with the system of the task's node.
   * @throws as `parseDriverInfo` and as the client; MISSING_PARAMETER or INVALID_PARAMETER when redfish_system_id does not tell
   * which system of the BMC it is.
   */
  async use<T>(task: Task, work: (system: ComputerSystem) => Promise<T>): Promise<T> {
    const { connection, systemId } = parseDriverInfo(task.node);
    return this.#clients.use(connection, async (client) => {
      const paths = this.#pathsOf(client);
      const known = paths.get(systemId);
      const system =
        known === undefined ? await findSystem(client, systemId, task.signal) : new ComputerSystem(client, known);
      paths.set(systemId, system.path);
      try {
        return await work(system);
      } catch (error) {
        // The BMC may be another one by now, or number its systems anew.
        if (isIronbarkError(error, 'BMC_UNSUPPORTED')) paths.delete(systemId);
        throw error;
      }
    });
  }

  #pathsOf(client: RedfishClient): Map<string | null, string> {
    const known = this.#paths.get(client) ?? new Map<string | null, string>();
    this.#paths.set(client, known);
    return known;
  }
}
