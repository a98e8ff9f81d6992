import type { SecretText } from '@ironbark/core';
import { scriptText } from '../ipxe/script-text.ts';
import { rebootLines, type GrubOptions } from './node-config.ts';

/**
 * The configuration for all machines (`grub.cfg`): it leads each to its own, by the address of the network card that GRUB was started
 * from. A machine that nobody knows starts over. GRUB cannot ask whether a file is there over the network, so it is read in any case;
 * every node's configuration sets `default`.
 */
export function renderMasterGrubConfig(options: Pick<GrubOptions, 'rebootDelaySeconds'>): SecretText {
  return scriptText([
    ['if [ -n "${net_default_mac}" ]; then', '  source "(tftp)/${net_default_mac}.conf"', 'fi'],
    [
      'if [ -z "${default}" ]; then',
      ...rebootLines('No boot configuration was found for the network card ${net_default_mac}.', options).map(
        (line) => `  ${line}`,
      ),
      'fi',
    ],
  ]);
}
