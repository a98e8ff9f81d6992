import type { ProvisionState } from '@ironbark/core';

/** Verbs of the Bare Metal API; the API's older names `active` and `deleted` are deploy and undeploy. */
export const provisionVerbs = [
  'manage',
  'provide',
  'deploy',
  'rebuild',
  'undeploy',
  'abort',
  'adopt',
  'clean',
  'inspect',
  'rescue',
  'unrescue',
  'service',
  'unhold',
] as const;
export type ProvisionVerb = (typeof provisionVerbs)[number];

/** What happens to a node on the way, beside the verbs of clients. */
export type ProvisionEvent =
  | ProvisionVerb
  | 'done'
  | 'fail'
  | 'wait'
  | 'resume'
  | 'hold'
  | 'begin cleaning'
  | 'cleaned manually';

type Transitions = Partial<Readonly<Record<ProvisionEvent, ProvisionState>>>;

const waiting = (busy: ProvisionState, hold: ProvisionState | undefined, failed: ProvisionState): Transitions => ({
  resume: busy,
  fail: failed,
  abort: failed,
  ...(hold === undefined ? {} : { hold }),
});

/** Every provision state with the events it allows and the states they lead to, as the Bare Metal API documents them. */
const transitions: Readonly<Record<ProvisionState, Transitions>> = {
  enroll: { manage: 'verifying' },
  verifying: { done: 'manageable', fail: 'enroll' },
  manageable: { provide: 'cleaning', clean: 'cleaning', inspect: 'inspecting', adopt: 'adopting' },
  available: { deploy: 'deploying', manage: 'manageable' },
  deploying: { wait: 'wait call-back', hold: 'deploy hold', done: 'active', fail: 'deploy failed' },
  'wait call-back': { ...waiting('deploying', 'deploy hold', 'deploy failed'), undeploy: 'deleting' },
  'deploy hold': { unhold: 'wait call-back', abort: 'deploy failed' },
  'deploy failed': { rebuild: 'deploying', deploy: 'deploying', undeploy: 'deleting' },
  active: { rebuild: 'deploying', undeploy: 'deleting', rescue: 'rescuing', service: 'servicing' },
  deleting: { 'begin cleaning': 'cleaning', fail: 'error' },
  error: { rebuild: 'deploying', undeploy: 'deleting' },
  cleaning: {
    wait: 'clean wait',
    hold: 'clean hold',
    done: 'available',
    'cleaned manually': 'manageable',
    fail: 'clean failed',
  },
  'clean wait': waiting('cleaning', 'clean hold', 'clean failed'),
  'clean hold': { unhold: 'clean wait', abort: 'clean failed' },
  'clean failed': { manage: 'manageable' },
  inspecting: { done: 'manageable', wait: 'inspect wait', fail: 'inspect failed' },
  'inspect wait': { ...waiting('inspecting', undefined, 'inspect failed'), done: 'manageable' },
  'inspect failed': { inspect: 'inspecting', manage: 'manageable' },
  adopting: { done: 'active', fail: 'adopt failed' },
  'adopt failed': { adopt: 'adopting', manage: 'manageable' },
  rescuing: { wait: 'rescue wait', done: 'rescue', fail: 'rescue failed' },
  'rescue wait': { ...waiting('rescuing', undefined, 'rescue failed'), undeploy: 'deleting' },
  rescue: { rescue: 'rescuing', unrescue: 'unrescuing', undeploy: 'deleting' },
  'rescue failed': { rescue: 'rescuing', unrescue: 'unrescuing', undeploy: 'deleting' },
  unrescuing: { done: 'active', fail: 'unrescue failed' },
  'unrescue failed': { rescue: 'rescuing', unrescue: 'unrescuing', undeploy: 'deleting' },
  servicing: { wait: 'service wait', hold: 'service hold', done: 'active', fail: 'service failed' },
  'service wait': { ...waiting('servicing', 'service hold', 'service failed'), undeploy: 'deleting' },
  'service hold': {
    service: 'servicing',
    unhold: 'service wait',
    fail: 'service failed',
    abort: 'service failed',
    undeploy: 'deleting',
  },
  'service failed': {
    service: 'servicing',
    rescue: 'rescuing',
    wait: 'service wait',
    hold: 'service hold',
    undeploy: 'deleting',
    abort: 'active',
  },
};

/** The state that an event leads to; undefined when the state does not allow the event. */
export function nextState(state: ProvisionState, event: ProvisionEvent): ProvisionState | undefined {
  return transitions[state][event];
}

const busyStates = new Set<ProvisionState>([
  'verifying',
  'deploying',
  'wait call-back',
  'deploy hold',
  'deleting',
  'cleaning',
  'clean wait',
  'clean hold',
  'inspecting',
  'inspect wait',
  'adopting',
  'rescuing',
  'rescue wait',
  'unrescuing',
  'servicing',
  'service wait',
  'service hold',
]);

/** Whether a node stays in the state until somebody asks for something. Clients wait until it is, and `target_provision_state` is null then. */
export function isStable(state: ProvisionState): boolean {
  return !busyStates.has(state);
}

const targets: Partial<Readonly<Record<ProvisionVerb, ProvisionState>>> = {
  manage: 'manageable',
  provide: 'available',
  deploy: 'active',
  rebuild: 'active',
  undeploy: 'available',
  adopt: 'active',
  clean: 'manageable',
  inspect: 'manageable',
  rescue: 'rescue',
  unrescue: 'active',
  service: 'active',
};

/** The stable state that a verb is to end in; undefined for verbs that continue or stop something. */
export function targetState(verb: ProvisionVerb): ProvisionState | undefined {
  return targets[verb];
}
