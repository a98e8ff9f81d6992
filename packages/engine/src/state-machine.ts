/** Verbs of the Bare Metal API; `active` and `deleted` are the API's older names of deploy and undeploy. */
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
