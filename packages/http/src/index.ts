export * from './http-client.ts';
export type {
  HttpClientOptions,
  HttpOutcome,
  HttpPatience,
  HttpReply,
  HttpRequest,
  HttpStream,
  HttpStreamRequest,
  HttpVoice,
} from './http-exchange.ts';
export { type ConnectionFault, type SettingNames, connectionFault } from './connection-fault.ts';
export type { CaFileFault } from './ca-file.ts';
export * from './one-line.ts';
export * from './retry-after.ts';
export { StreamedContent } from './streamed-content.ts';
export * from './wait.ts';
