import { explain, notFound } from '@ironbark/core';
import { reportBootFailure } from './boot-report.ts';
import type { EngineContext, EngineOptions } from './context.ts';
import type { Engine } from './engine.ts';
import { createEventLog } from './events.ts';
import { createMetrics } from './metrics.ts';
import { findNode } from './node-lock.ts';
import { createNotifier } from './notifications.ts';
import { OperationRunner } from './operations/runner.ts';
import { createPeriodic } from './periodic.ts';
import { planDeployment } from './plan.ts';
import { PowerSync } from './power-sync.ts';
import { ReconcileCheck } from './reconcile/check.ts';
import { reconcile, type ReconcileOptions } from './reconcile/reconcile.ts';
import type { ReconcileReport } from './reconcile/report.ts';
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
  /** Looks at the power state of every node, as it is done at each interval. */
  syncPowerStates(): Promise<void>;
  /**
   * Compares our records with those of the storage services: of one node, or of all nodes and then for volumes of nodes that do not
   * exist. Each node is locked while it is compared. The engine need not have been started.
   * @throws NOT_FOUND for an unknown node; the reason of the signal. Failures of a storage service are in the report.
   */
  reconcile(ident: string | null, options: ReconcileOptions): Promise<ReconcileReport>;
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
    syncPowerStateIntervalMs: 60 * second,
    syncPowerStateWorkers: 8,
    reconcileIntervalMs: 3600 * second,
    ...options,
    events,
    notifier: createNotifier(options.hostname, options.hooks, events, options.log),
  };
  const { store, registry, hostname } = context;
  const metrics = createMetrics(context);
  const runner = new OperationRunner(context);
  const powerSync = new PowerSync(context, runner);
  // BMCs that do not answer take a minute each, and would be waited for by all the others.
  const looks = (['answering', 'silent'] as const).map((which) =>
    createPeriodic('the power sync', context.syncPowerStateIntervalMs, context.log, (signal) =>
      powerSync.pass(which, signal),
    ),
  );
  const check = new ReconcileCheck(context);
  const checks = createPeriodic(
    'the comparison with storage services',
    context.reconcileIntervalMs,
    context.log,
    (signal) => check.run(signal),
  );
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
    metrics: () => metrics.text(),
    plan: (ident) => planDeployment(context, ident),
    reportBootFailure: (nodeUuid, token, report) => reportBootFailure(context, nodeUuid, token, report),
    async start() {
      await signOfLife();
      await store.locks.releaseIdle(hostname);
      await runner.resume();
      renewal = setInterval(() => void renew(context, runner, signOfLife), context.lockLeaseMs / 3).unref();
      for (const each of looks) each.start();
      checks.start();
    },
    async stop(graceMs) {
      await Promise.all([runner.stop(graceMs), ...[...looks, checks].map((each) => each.stop())]);
      // What a look has begun in the meantime.
      await runner.idle();
      clearInterval(renewal);
    },
    idle: () => runner.idle(),
    syncPowerStates: () => powerSync.pass('all', new AbortController().signal),
    reconcile: (ident, how) => reconcile(context, ident, how),
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
