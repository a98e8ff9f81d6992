export * from './http-client.ts';
export { type ConnectionFault, type SettingNames, connectionFault } from './connection-fault.ts';
export type { CaFileFault } from './ca-file.ts';
export * from './one-line.ts';
export * from './retry-after.ts';
export * from './wait.ts';
