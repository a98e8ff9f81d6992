import { explain, notFound } from '@ironbark/core';
import { reportBootFailure } from './boot-report.ts';
import type { EngineContext, EngineOptions } from './context.ts';
import type { Engine } from './engine.ts';
import { createEventLog } from './events.ts';
import { findNode } from './node-lock.ts';
import { createNotifier } from './notifications.ts';
import { OperationRunner } from './operations/runner.ts';
import { planDeployment } from './plan.ts';
import { createAgentService } from './services/agents.ts';
import { createChassisService } from './services/chassis.ts';
import { aliveWithinMs, createDriverService } from './services/drivers.ts';
import { createManagementService } from './services/management.ts';
import { createNodeService } from './services/nodes.ts';
import { createPortService } from './services/ports.ts';
import { createPowerService } from './services/power.ts';
import { createProvisioningService } from './services/provisioning.ts';
import { createVendorService } from './services/vendor.ts';
import { createVifService } from './services/vifs.ts';
import { createVolumeConnectorService, createVolumeTargetService } from './services/volumes.ts';

/** An engine with its life: it begins to work at start and leaves everything resumable at stop. */
export interface RunningEngine extends Engine {
  /** Registers the conductor, takes up interrupted operations and begins to renew locks. */
  start(): Promise<void>;
  /** Lets running steps end within the time; later ones are aborted. Unfinished operations go on at the next start. */
  stop(graceMs: number): Promise<void>;
  /** Settles when no operation runs. */
  idle(): Promise<void>;
}

const second = 1000;

export function createEngine(options: EngineOptions): RunningEngine {
  const events = createEventLog();
  const context: EngineContext = {
    conductorGroup: '',
    workers: 100,
    lockLeaseMs: 60 * second,
    lockWaitMs: 3 * second,
    powerTimeoutMs: 60 * second,
    softPowerTimeoutMs: 600 * second,
    stepTimeoutMs: 1800 * second,
    heartbeatTimeoutSeconds: 300,
    ...options,
    events,
    notifier: createNotifier(options.hostname, options.hooks, events, options.log),
  };
  const { store, registry, hostname } = context;
  const runner = new OperationRunner(context);
  let renewal: NodeJS.Timeout | undefined;
  const signOfLife = () => store.conductors.touch(hostname, context.conductorGroup, [...registry.hardwareTypes.keys()]);

  return {
    hostname,
    registry,
    hooks: context.hooks,
    events,
    nodes: createNodeService(context),
    ports: createPortService(context),
    chassis: createChassisService(context),
    volumeConnectors: createVolumeConnectorService(context),
    volumeTargets: createVolumeTargetService(context),
    provisioning: createProvisioningService(context, runner),
    power: createPowerService(context, runner),
    management: createManagementService(context),
    vendor: createVendorService(context),
    vifs: createVifService(context),
    drivers: createDriverService(context),
    agents: createAgentService(context),
    operations: {
      async list(ident, limit) {
        return store.operations.listOfNode((await findNode(context, ident)).uuid, limit);
      },
      async get(uuid) {
        const operation = await store.operations.find(uuid);
        if (operation === undefined) throw notFound('Operation', uuid);
        return operation;
      },
    },
    listConductors: () => store.conductors.list(aliveWithinMs(context)),
    plan: (ident) => planDeployment(context, ident),
    reportBootFailure: (nodeUuid, token, report) => reportBootFailure(context, nodeUuid, token, report),
    async start() {
      await signOfLife();
      await store.locks.releaseIdle(hostname);
      await runner.resume();
      renewal = setInterval(() => void renew(context, runner, signOfLife), context.lockLeaseMs / 3).unref();
    },
    async stop(graceMs) {
      await runner.stop(graceMs);
      clearInterval(renewal);
    },
    idle: () => runner.idle(),
  };
}

/** Keeps this conductor's locks alive, and takes over operations of conductors that have died. */
async function renew(context: EngineContext, runner: OperationRunner, signOfLife: () => Promise<void>): Promise<void> {
  const { store, hostname, lockLeaseMs, log } = context;
  try {
    await store.locks.renew(hostname, lockLeaseMs);
    await signOfLife();
    await runner.resume();
  } catch (error) {
    log.error({ error: explain(error) }, 'node locks could not be renewed');
  }
}
