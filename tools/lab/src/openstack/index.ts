export * from './access.ts';
export * from './call-name.ts';
export * from './details.ts';
export * from './exports.ts';
export * from './fault-proxy.ts';
export * from './openstack.ts';
export * from './service.ts';
export * from './session.ts';
