export * from './nfs-server.ts';
