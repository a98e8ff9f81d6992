import {
  derivedBootOptionKey,
  endsPoweredOn,
  timestamp,
  type Info,
  type InterfaceKind,
  type Task,
} from '@ironbark/core';
import type { Fence, Operation } from '@ironbark/store';
import type { EngineContext } from '../context.ts';
import type { JournalScope } from '../task.ts';
import { editInternalInfo, withoutAgent } from '../internal-info.ts';
import { setProvisionState } from '../provision-state.ts';
import { bootChoiceOf, checkDeployedKind, cleanUpBoot, prepareBoot, setBootDevice } from './boot.ts';
import { syncFirmware } from './firmware.ts';
import { changePower, confirmOff, syncPowerState, wantedState } from './power.ts';
import { areVolumesInPlace, attachVolumes, detachVolumes, isEveryTargetAttached, mayHaveVolumes } from './volumes.ts';

export interface StepRun {
  readonly context: EngineContext;
  readonly task: Task;
  readonly fence: Fence;
  readonly operation: Operation;
}

/** `finish`: the operation has nothing left to do, its other steps are skipped. */
export type StepOutcome = 'next' | 'finish';

interface StepDefinition {
  /** What the step does, for the dry run and the documentation. */
  readonly summary: string;
  /** Step that takes it back when a later one fails. */
  readonly compensation?: StepName;
  /** Safe to repeat: a step looks at the world before it changes it. */
  run(step: StepRun): Promise<StepOutcome | void>;
}

export type StepName = keyof typeof stepDefinitions;

/** Every step there is. A name is stored with operations in progress: renaming one breaks their resumption after an upgrade. */
export const stepDefinitions = {
  'power.verify': {
    summary: 'read the power state, which proves that the BMC answers',
    async run({ context, task, fence }) {
      await syncPowerState(context, task, fence);
    },
  },
  'power.check': {
    summary: 'compare power state and volumes with what is wanted; nothing is done when both are there',
    async run({ context, task, fence, operation }) {
      const target = powerTargetOf(operation.verb);
      const wanted = target === undefined ? undefined : wantedState(target);
      const isReached = wanted !== undefined && (await syncPowerState(context, task, fence)) === wanted;
      if (isReached && (await areVolumesInPlace(context, task, wanted === 'power on'))) return 'finish';
      if (target !== undefined && endsPoweredOn(target)) await checkDeployedKind(context, task, bootChoiceOf(task));
      return 'next';
    },
  },
  'power.confirm': {
    summary: 'look again at a power state that changed by itself; nothing is done when it has changed back',
    async run({ context, task, fence, operation }) {
      const isOn = operation.verb === 'attach';
      const powerState = await syncPowerState(context, task, fence);
      if (powerState !== (isOn ? 'power on' : 'power off')) return 'finish';
      return (await areVolumesInPlace(context, task, isOn)) ? 'finish' : 'next';
    },
  },
  'power.off': { summary: 'power the machine off', run: (step) => power(step, 'power off') },
  'power.on': {
    summary: 'power the machine on',
    compensation: 'power.off',
    run: (step) => power(step, 'power on'),
  },
  'power.reboot': { summary: 'reset the machine', run: (step) => power(step, 'rebooting') },
  'power.soft_off': { summary: 'ask the operating system to shut down', run: (step) => power(step, 'soft power off') },
  'power.soft_reboot': { summary: 'ask the operating system to restart', run: (step) => power(step, 'soft rebooting') },
  'storage.attach': {
    summary: 'attach the volumes and read their connections',
    compensation: 'storage.detach',
    run: ({ context, task, fence }) => attachVolumes(context, task, fence),
  },
  'storage.attach_missing': {
    summary: 'attach the volumes, unless the records show all of them as attached',
    async run({ context, task, fence }) {
      if (!(await isEveryTargetAttached(context, task))) await attachVolumes(context, task, fence);
    },
  },
  'storage.detach': {
    summary: 'read back that the machine is off and detach the volumes',
    async run({ context, task, fence }) {
      if (!(await mayHaveVolumes(context, task))) return;
      await confirmOff(context, task, fence);
      await detachVolumes(context, task, fence);
    },
  },
  'storage.purge_targets': {
    summary: 'delete the volume targets',
    async run({ context, task, fence }) {
      for (const target of task.volumeTargets) {
        await context.notifier.volumeTarget('delete', 'start', target);
        await context.store.volumeTargets.delete(target.uuid, fence);
        await context.notifier.volumeTarget('delete', 'end', target);
      }
    },
  },
  'deploy.deploy': {
    summary: 'bring the system onto the machine, where the deploy interface does so',
    compensation: 'deploy.clean_up',
    run: ({ task }) => task.driver.deploy.deploy(task),
  },
  'deploy.clean_up': { summary: 'free what the deployment left', run: ({ task }) => task.driver.deploy.cleanUp(task) },
  'boot.prepare': {
    summary: 'render the boot configuration and put it in place',
    compensation: 'boot.clean_up',
    run: ({ context, task, fence }) => prepareBoot(context, task, fence),
  },
  'boot.clean_up': {
    summary: 'remove the boot configuration',
    run: ({ context, task, fence }) => cleanUpBoot(context, task, fence),
  },
  'management.sync_firmware': {
    summary: 'set boot mode and Secure Boot as the records ask for',
    run: ({ context, task, fence }) => syncFirmware(context, task, fence),
  },
  'management.set_boot_device': {
    summary: 'set the boot device, persistently',
    run: ({ context, task }) => setBootDevice(context, task),
  },
  'network.configure': {
    summary: "connect the machine to its instance's networks",
    compensation: 'network.remove',
    run: ({ task }) => task.driver.network.configureInstanceNetworks(task),
  },
  'network.remove': {
    summary: "disconnect the machine from its instance's networks",
    run: ({ task }) => task.driver.network.removeInstanceNetworks(task),
  },
  'instance.forget': {
    summary: 'clear what belonged to the instance',
    async run({ context, task, fence }) {
      const forgotten = { instanceInfo: {}, instanceUuid: null, updatedAt: timestamp() };
      await context.store.nodes.update(task.node.uuid, forgotten, fence);
      await editInternalInfo(context, task.node.uuid, withoutInstance, fence);
      for (const port of task.ports)
        if ('tenant_vif_port_id' in port.internalInfo)
          await context.store.ports.update(port.uuid, { internalInfo: {} }, fence);
    },
  },
  'cleaning.begin': {
    summary: 'enter the cleaning state',
    run: ({ context, task, fence }) => setProvisionState(context, task.node, { provisionState: 'cleaning' }, fence),
  },
  'cleaning.run': { summary: 'run the clean steps; there are none', run: async () => {} },
} as const satisfies Readonly<
  Record<string, Omit<StepDefinition, 'compensation'> & { readonly compensation?: string }>
>;

function withoutInstance(driverInternalInfo: Info): Info {
  const { boot_from_volume: _volume, [derivedBootOptionKey]: _option, ...rest } = withoutAgent(driverInternalInfo);
  return rest;
}

export function stepDefinition(name: string): StepDefinition | undefined {
  return (stepDefinitions as Readonly<Record<string, StepDefinition>>)[name];
}

/** The journal that a step's driver call sees: that of the interface it is named for. */
export function journalScope(stepName: string): JournalScope {
  const [prefix] = stepName.split('.', 1);
  return prefix === 'instance' || prefix === 'cleaning' ? 'engine' : (prefix as InterfaceKind);
}

const powerTargets = {
  'power on': 'power on',
  'power off': 'power off',
  rebooting: 'rebooting',
  'soft power off': 'soft power off',
  'soft rebooting': 'soft rebooting',
} as const;

/** The power target of an operation whose verb is one; undefined for provision verbs. */
export function powerTargetOf(verb: string) {
  return (powerTargets as Readonly<Record<string, keyof typeof powerTargets>>)[verb];
}

async function power({ context, task, fence, operation }: StepRun, target: keyof typeof powerTargets): Promise<void> {
  const wanted = wantedState(target);
  if (wanted !== undefined && (await syncPowerState(context, task, fence)) === wanted) return;
  const timeoutMs = operation.parameters['timeout_ms'];
  await changePower(context, task, target, fence, typeof timeoutMs === 'number' ? timeoutMs : undefined);
}
