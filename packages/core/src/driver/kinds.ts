/** Kinds of driver interfaces that plugins can provide. */
export const interfaceKinds = ['power', 'management', 'boot', 'storage', 'deploy', 'vendor', 'network'] as const;
export type InterfaceKind = (typeof interfaceKinds)[number];
