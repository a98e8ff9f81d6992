export * from './dhcp-client.ts';
export * from './dhcp-server.ts';
export * from './lab-network.ts';
export * from './tftp-server.ts';
