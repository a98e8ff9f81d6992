import { invalidParameter, Secret, type Info, type IronbarkError } from '@ironbark/core';
import type { ProvisionRequest, ProvisionVerb } from '@ironbark/engine';
import { introduced } from '../microversion-table.ts';
import { notAcceptable } from '../microversion.ts';
import { check } from '../schemas/check.ts';
import { text } from '../schemas/fields.ts';
import type { JsonSchema, Static } from '../schemas/json-schema.ts';

/** A config drive has up to 64 MiB, a third more in base64, and the rest of the request. */
export const configdriveLimit = 96 * 1024 * 1024;

const stepList = {
  type: ['array', 'null'],
  maxItems: 1000,
  items: {
    type: 'object',
    properties: {
      interface: { type: 'string', minLength: 1, maxLength: 255 },
      step: { type: 'string', minLength: 1, maxLength: 255 },
      args: { type: 'object' },
      priority: { type: ['integer', 'string'], minimum: 0, pattern: '^[0-9]{1,9}$' },
      order: { type: 'integer' },
    },
    required: ['interface', 'step'],
    additionalProperties: false,
  },
} as const satisfies JsonSchema;

export const provisionBody = {
  type: 'object',
  properties: {
    target: text,
    configdrive: { type: ['string', 'object', 'null'] },
    clean_steps: stepList,
    deploy_steps: stepList,
    rescue_password: { type: ['string', 'null'], maxLength: 1024 },
    disable_ramdisk: { type: ['boolean', 'null'] },
  },
  required: ['target'],
  additionalProperties: false,
} as const satisfies JsonSchema;

type ProvisionBody = Static<typeof provisionBody>;

/** Targets of a provision request, among them the older names of deploy and undeploy. */
export const provisionVerbsByTarget: Readonly<Record<string, ProvisionVerb>> = {
  active: 'deploy',
  deleted: 'undeploy',
  deploy: 'deploy',
  undeploy: 'undeploy',
  rebuild: 'rebuild',
  manage: 'manage',
  provide: 'provide',
  abort: 'abort',
  adopt: 'adopt',
  clean: 'clean',
  inspect: 'inspect',
  rescue: 'rescue',
  unrescue: 'unrescue',
};

/** Every part of a provision request goes with its own verb, since its own version. */
export function checkProvisionBody(body: ProvisionBody, verb: ProvisionVerb, minor: number): void {
  const { clean_steps: cleanSteps, deploy_steps: deploySteps, rescue_password: password } = body;
  checkConfigdrive(body, verb, minor);
  if ((body.disable_ramdisk ?? null) !== null) {
    if (minor < introduced.disableRamdisk)
      throw notAcceptable('The field "disable_ramdisk"', introduced.disableRamdisk);
    if (verb !== 'clean') throw onlyWith('disable_ramdisk', 'clean');
  }
  if ((cleanSteps?.length ?? 0) > 0 && verb !== 'clean') throw onlyWith('clean_steps', 'clean');
  if (verb === 'clean' && (cleanSteps ?? null) === null)
    throw invalidParameter('"clean_steps" is required when setting target provision state to clean');
  if ((deploySteps?.length ?? 0) > 0) {
    if (minor < introduced.deploySteps) throw notAcceptable('The field "deploy_steps"', introduced.deploySteps);
    if (verb !== 'deploy' && verb !== 'rebuild') throw onlyWith('deploy_steps', 'active, rebuild');
  }
  if ((password ?? null) !== null && verb !== 'rescue') throw onlyWith('rescue_password', 'rescue');
  if (verb === 'rescue' && (password ?? '').trim() === '')
    throw invalidParameter('A non-empty "rescue_password" is required when setting target provision state to rescue');
}

function onlyWith(field: string, targets: string): IronbarkError {
  return invalidParameter(`"${field}" is only valid when setting target provision state to ${targets}`);
}

/** Characters of base64 text, and the white space that is common in it. */
const base64 = /^[A-Za-z0-9+/=\s]*$/;

const configdriveObject = {
  type: 'object',
  properties: {
    meta_data: { type: 'object' },
    network_data: { type: 'object' },
    user_data: { type: ['object', 'array', 'string', 'null'] },
    vendor_data: { type: 'object' },
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

function checkConfigdrive({ configdrive }: ProvisionBody, verb: ProvisionVerb, minor: number): void {
  if ((configdrive ?? '') === '') return;
  const allowed = minor < introduced.rebuildConfigdrive ? ['deploy'] : ['deploy', 'rebuild'];
  if (!allowed.includes(verb))
    throw invalidParameter(
      `Adding a config drive is only supported when setting provision state to ${allowed.join(', ').replace('deploy', 'active')}`,
    );
  if (typeof configdrive === 'string') {
    if (!configdrive.includes('://') && !base64.test(configdrive))
      throw invalidParameter('Invalid configdrive format: it is neither a JSON, nor a URL, nor a base64 string');
    return;
  }
  if (minor < introduced.configdriveObject)
    throw configdriveNeeds('a JSON object for configdrive', introduced.configdriveObject);
  const problem = check(configdriveObject, configdrive, 'The config drive');
  if (problem !== undefined) throw invalidParameter(`Invalid configdrive format: ${problem}`);
  if (Object.hasOwn(configdrive as object, 'vendor_data') && minor < introduced.configdriveVendorData)
    throw configdriveNeeds('vendor_data in configdrive', introduced.configdriveVendorData);
}

function configdriveNeeds(what: string, since: number): IronbarkError {
  return invalidParameter(`Providing ${what} is only supported starting with API version 1.${since}`);
}

/** The request in the engine's terms, checked by {@link checkProvisionBody}. */
export function toProvisionRequest(body: ProvisionBody, verb: ProvisionVerb): ProvisionRequest {
  const { configdrive, clean_steps: cleanSteps, deploy_steps: deploySteps } = body;
  return {
    verb,
    ...((configdrive ?? '') === ''
      ? {}
      : { configdrive: typeof configdrive === 'string' ? Secret.of(configdrive) : (configdrive as Info) }),
    ...((cleanSteps ?? null) !== null ? { cleanSteps: cleanSteps as readonly Info[] } : {}),
    ...((deploySteps?.length ?? 0) > 0 ? { deploySteps: deploySteps as readonly Info[] } : {}),
  };
}
