export { default } from './plugin.ts';
export { CinderStorage, type CinderStorageOptions } from './cinder-storage.ts';
export { cinderConfig, type CinderOptions } from './options.ts';
