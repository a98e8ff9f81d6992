export { default } from './plugin.ts';
export { grubConfig, type GrubSettings } from './options.ts';
export { PxeGrubBoot, type GrubServices } from './pxe-grub-boot.ts';
