// Holds the steps whose own work takes no time, so that a kill finds the conductor inside them.
import { setTimeout as sleep } from 'node:timers/promises';
import { definePlugin } from '@ironbark/core';

const hold = () => sleep(150);

export default definePlugin({
  setup(host) {
    host.network.register('slow', {
      validate: async () => {},
      configureInstanceNetworks: hold,
      removeInstanceNetworks: hold,
    });
    for (const name of ['beforeAttach', 'afterAttach', 'beforeDetach', 'afterDetach', 'artifactsRendered']) {
      host.hooks[name].tapPromise('slow', hold);
    }
    host.hooks.provisionStateChanged.tapPromise('slow', hold);
    host.hooks.notification.tapPromise('slow', ({ eventType }) =>
      eventType.includes('volumetarget.delete') ? hold() : undefined,
    );
  },
});
