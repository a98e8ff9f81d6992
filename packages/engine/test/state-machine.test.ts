import { provisionStates, type ProvisionState } from '@ironbark/core';
import { describe, expect, it } from 'vitest';
import { isStable, nextState, provisionVerbs, targetState } from '../src/state-machine.ts';

describe('the provision state machine', () => {
  it.each([
    ['enroll', 'manage', 'verifying'],
    ['manageable', 'provide', 'cleaning'],
    ['manageable', 'adopt', 'adopting'],
    ['available', 'deploy', 'deploying'],
    ['available', 'manage', 'manageable'],
    ['active', 'rebuild', 'deploying'],
    ['active', 'undeploy', 'deleting'],
    ['deploy failed', 'rebuild', 'deploying'],
    ['deploy failed', 'deploy', 'deploying'],
    ['deploy failed', 'undeploy', 'deleting'],
    ['wait call-back', 'abort', 'deploy failed'],
    ['wait call-back', 'undeploy', 'deleting'],
    ['error', 'undeploy', 'deleting'],
    ['error', 'rebuild', 'deploying'],
    ['clean wait', 'abort', 'clean failed'],
    ['clean failed', 'manage', 'manageable'],
    ['inspect failed', 'inspect', 'inspecting'],
    ['adopt failed', 'adopt', 'adopting'],
    ['service failed', 'abort', 'active'],
  ] as const)('leads from %s by %s to %s', (from, verb, to) => {
    expect(nextState(from, verb)).toBe(to);
  });

  it.each([
    ['deploying', 'undeploy'],
    ['deploying', 'abort'],
    ['enroll', 'deploy'],
    ['manageable', 'deploy'],
    ['available', 'undeploy'],
    ['active', 'deploy'],
    ['active', 'manage'],
    ['error', 'deploy'],
    ['cleaning', 'abort'],
  ] as const)('allows no %s → %s', (from, verb) => {
    expect(nextState(from, verb)).toBeUndefined();
  });

  it('lets every busy state end in failure, and a failure is stable', () => {
    const busy = provisionStates.filter((state) => !isStable(state) && !state.endsWith(' hold'));
    for (const state of busy) {
      const failed = nextState(state, 'fail');
      expect(failed, state).toBeDefined();
      expect(isStable(failed as ProvisionState), `${state} → ${failed}`).toBe(true);
    }
  });

  it('gives every verb that begins work a stable target', () => {
    for (const verb of provisionVerbs.filter((one) => one !== 'abort' && one !== 'unhold')) {
      expect(isStable(targetState(verb) as ProvisionState), verb).toBe(true);
    }
  });
});
