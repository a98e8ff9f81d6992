export { default } from './plugin.ts';
export { ipxeConfig, type IpxeOptions } from './options.ts';
export { IpxeBoot } from './ipxe-boot.ts';
