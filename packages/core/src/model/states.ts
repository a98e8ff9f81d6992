/** Provision states of the Bare Metal API. */
export const provisionStates = [
  'enroll',
  'verifying',
  'manageable',
  'available',
  'active',
  'error',
  'deploying',
  'wait call-back',
  'deploy hold',
  'deploy failed',
  'deleting',
  'cleaning',
  'clean wait',
  'clean hold',
  'clean failed',
  'inspecting',
  'inspect wait',
  'inspect failed',
  'adopting',
  'adopt failed',
  'rescuing',
  'rescue wait',
  'rescue',
  'rescue failed',
  'unrescuing',
  'unrescue failed',
  'servicing',
  'service wait',
  'service hold',
  'service failed',
] as const;
export type ProvisionState = (typeof provisionStates)[number];

export type PowerState = 'power on' | 'power off' | 'error';

/** Targets of a power request, as the API spells them. */
export const powerTargets = ['power on', 'power off', 'rebooting', 'soft power off', 'soft rebooting'] as const;
export type PowerTarget = (typeof powerTargets)[number];

/** Whether a machine is to run after the power action. */
export function endsPoweredOn(target: PowerTarget): boolean {
  return target === 'power on' || target === 'rebooting' || target === 'soft rebooting';
}

/** Boot devices of the API; a management interface names the ones that it supports. */
export const bootDevices = [
  'pxe',
  'disk',
  'cdrom',
  'bios',
  'safe',
  'wanboot',
  'uefihttp',
  'floppy',
  'iscsiboot',
] as const;
export type BootDevice = (typeof bootDevices)[number];

export type BootMode = 'bios' | 'uefi';
