import type { SecretText } from '@ironbark/core';
import { fetchable } from './fetchable.ts';
import { scriptText } from './script-text.ts';

/** How long a machine without a configuration shows why, in milliseconds. */
const promptTimeoutMs = 30_000;
/** A server that stops in the middle must not hold the machine for ever. */
const fetchTimeoutMs = 30_000;

/** Directory of the links that are named by MAC address. */
export const macLinkDirectory = 'pxelinux.cfg';

/**
 * The script that DHCP names (`boot.ipxe`): it looks for the configuration of each of the machine's network cards in turn. When a
 * node's script ends well the firmware goes on to its next boot device; a machine that nobody knows starts over.
 */
export function renderGlobalScript(): SecretText {
  return scriptText([
    ['#!ipxe'],
    [
      'set netid:int32 -1',
      ':next_nic',
      'inc netid || goto old_rom',
      'isset ${net${netid}/mac} || goto no_configuration',
      'echo Looking for the configuration of ${net${netid}/mac:hexhyp}',
      `chain --timeout ${fetchTimeoutMs} ${macLinkDirectory}/\${net\${netid}/mac:hexhyp} || goto next_nic`,
      'exit 0',
    ],
    [
      ':old_rom',
      // A ROM without arithmetic can ask for the card that it was started from only.
      `chain ${macLinkDirectory}/\${mac:hexhyp} || goto no_configuration`,
      'exit 0',
    ],
    [
      ':no_configuration',
      'echo No boot configuration was found for any network card of this machine, or it failed.',
      `prompt --timeout ${promptTimeoutMs} Press any key to reboot, or wait ${promptTimeoutMs / 1000} seconds. ||`,
      'reboot',
    ],
  ]);
}

/**
 * The script that newer iPXE (1.21.1 and later) looks for beside itself, `autoexec.ipxe`, and runs instead of what DHCP names.
 * @param scriptUrl URL of the global script.
 * @throws INVALID_PARAMETER for a URL that iPXE would not take literally.
 */
export function renderAutoexecScript(scriptUrl: string): SecretText {
  return scriptText([
    ['#!ipxe'],
    [
      'isset ${ip} || dhcp ||',
      // An address that the firmware got leaves the card closed, and then the network is unreachable.
      'ifopen ||',
      `chain --timeout ${fetchTimeoutMs} ${fetchable(scriptUrl, 'URL of the boot files')} && exit 0 ||`,
      'echo The boot script could not be fetched: ${errno}',
      `prompt --timeout ${promptTimeoutMs} Press any key to reboot, or wait ${promptTimeoutMs / 1000} seconds. ||`,
      'reboot',
    ],
  ]);
}
