import { createRequire } from 'node:module';
import { isInfo, type InfoValue } from '@ironbark/core';
import type * as PromClient from 'prom-client';
import type { EngineContext } from './context.ts';
import { operationVerbs } from './operations/definitions.ts';

// Module by module: the package's entry also loads what serves clusters, gateways and process metrics, three quarters of its time and
// 8 MiB of memory.
const require = createRequire(import.meta.url);
const Registry = require('prom-client/lib/registry.js') as typeof PromClient.Registry;
const Counter = require('prom-client/lib/counter.js') as typeof PromClient.Counter;
const Gauge = require('prom-client/lib/gauge.js') as typeof PromClient.Gauge;
const Histogram = require('prom-client/lib/histogram.js') as typeof PromClient.Histogram;

/** Counts what the hooks tell. */
export interface Metrics {
  /** All metrics in the text format of Prometheus, version 0.0.4. */
  text(): Promise<string>;
}

/** A tap that fails or hangs keeps those after it from being called. */
const first = { name: 'metrics', stage: -1 };

const volumeSeconds = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];
const operationSeconds = [0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800];

/** Counters begin at 0: the first event of one that appears with it would be in no rate. */
const volumeResults = {
  attach: ['attached', 'adopted', 'released', 'failed'],
  detach: ['released', 'absent', 'failed'],
};

export function createMetrics(context: EngineContext): Metrics {
  const registry = new Registry();
  countVolumes(context, registry);
  countOperations(context, registry);
  countDisagreements(context, registry);
  countNodes(context, registry);
  return { text: () => registry.metrics() };
}

function countVolumes({ hooks }: EngineContext, registry: PromClient.Registry): void {
  const registers = [registry];
  const volumes = new Counter({
    name: 'ironbark_storage_volumes_total',
    help: 'Volumes that were attached to nodes or released, by what became of each.',
    labelNames: ['action', 'result'] as const,
    registers,
  });
  for (const [action, results] of Object.entries(volumeResults))
    for (const result of results) volumes.inc({ action, result }, 0);
  const durations = new Histogram({
    name: 'ironbark_storage_volume_duration_seconds',
    help: 'How long the attachment or release of one volume took.',
    labelNames: ['action'] as const,
    buckets: volumeSeconds,
    registers,
  });
  hooks.notification.tap(first, ({ eventType, payload }) => {
    const [, action] = /^baremetal\.node\.storage_(attach|detach)\.(?:end|error)$/.exec(eventType) ?? [];
    if (action === undefined) return;
    for (const volume of itemsOf(payload.data['volumes'])) {
      if (!isInfo(volume)) continue;
      const { result, duration_ms: durationMs } = volume;
      if (typeof result === 'string') volumes.inc({ action, result });
      if (typeof durationMs === 'number') durations.observe({ action }, durationMs / 1000);
    }
  });
}

function itemsOf(value: InfoValue | undefined): readonly InfoValue[] {
  return Array.isArray(value) ? value : [];
}

function countOperations({ hooks }: EngineContext, registry: PromClient.Registry): void {
  const registers = [registry];
  const operations = new Counter({
    name: 'ironbark_operations_total',
    help: 'Operations on nodes that have ended.',
    labelNames: ['verb', 'result'] as const,
    registers,
  });
  const durations = new Histogram({
    name: 'ironbark_operation_duration_seconds',
    help: 'From the request of an operation to its end.',
    labelNames: ['verb'] as const,
    buckets: operationSeconds,
    registers,
  });
  for (const [hook, result] of [
    [hooks.operationFinished, 'succeeded'],
    [hooks.operationFailed, 'failed'],
  ] as const) {
    for (const verb of operationVerbs) operations.inc({ verb, result }, 0);
    hook.tap(first, ({ verb, durationMs }) => {
      operations.inc({ verb, result });
      if (durationMs !== null) durations.observe({ verb }, durationMs / 1000);
    });
  }
}

function countDisagreements({ hooks }: EngineContext, registry: PromClient.Registry): void {
  const registers = [registry];
  const findings = new Gauge({
    name: 'ironbark_reconcile_findings',
    help: 'Attachments about which records and storage services disagreed when all nodes were compared last.',
    labelNames: ['kind'] as const,
    registers,
  });
  const failures = new Counter({
    name: 'ironbark_power_sync_failures_total',
    help: 'Power states that could not be read by the power sync.',
    registers,
  });
  hooks.storageCompared.tap(first, (found) => {
    for (const kind of ['leaked', 'missing', 'foreign'] as const)
      findings.set({ kind }, found.filter((finding) => finding.kind === kind).length);
  });
  hooks.powerSyncFailed.tap(first, () => failures.inc());
}

function countNodes({ store }: EngineContext, registry: PromClient.Registry): void {
  const nodes = new Gauge({
    name: 'ironbark_nodes',
    help: 'Nodes by provision state.',
    labelNames: ['provision_state'] as const,
    registers: [registry],
    async collect() {
      const counts = await store.nodes.countByProvisionState();
      nodes.reset();
      for (const [state, count] of counts) nodes.set({ provision_state: state }, count);
    },
  });
}
