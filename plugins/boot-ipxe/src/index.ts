export { default } from './plugin.ts';
export { ipxeConfig, type IpxeOptions } from './options.ts';
export { IpxeBoot, type IpxeMethod, type IpxeServices } from './ipxe-boot.ts';
