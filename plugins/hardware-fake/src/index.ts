export { plugin as default } from './plugin.ts';
export type { FakeSettings } from './settings.ts';
