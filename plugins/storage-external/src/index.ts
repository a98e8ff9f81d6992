export { default } from './plugin.ts';
export { ExternalStorage } from './external-storage.ts';
