import { definePlugin, type Plugin } from '@ironbark/core';
import { ExternalStorage } from './external-storage.ts';

const plugin: Plugin<undefined> = definePlugin({
  setup(host) {
    host.storage.register('external', new ExternalStorage());
  },
});

export default plugin;
