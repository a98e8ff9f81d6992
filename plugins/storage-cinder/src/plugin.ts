import { definePlugin, type Plugin } from '@ironbark/core';
import { createBlockStorage, Session } from '@ironbark/openstack';
import { CinderStorage } from './cinder-storage.ts';
import { cinderConfig, type CinderOptions } from './options.ts';

const plugin: Plugin<CinderOptions> = definePlugin({
  section: 'cinder',
  config: cinderConfig,
  setup(host) {
    const { session: identity, endpoint, storage } = host.config;
    const session = new Session(identity, { log: host.log, settings: 'settings.cinder' });
    host.onShutdown(() => session.close());
    host.storage.register('cinder', new CinderStorage(createBlockStorage(session, { endpoint }), storage));
  },
});

export default plugin;
