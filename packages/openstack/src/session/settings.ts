import { Secret } from '@ironbark/core';
import { z } from 'zod';
import { readAuth } from './auth-settings.ts';
import { plainHttpUrl } from './catalog.ts';
import { defaultPatience, endpointInterfaces, type EndpointOptions, type SessionOptions } from './session-options.ts';

const name = z.string().min(1).max(255);
const secret = z
  .string()
  .min(1)
  .transform((text) => Secret.of(text));
const endpointInterface = z.enum(endpointInterfaces);
const httpUrl = z
  .url({ protocol: /^https?$/, abort: true })
  .refine((url) => plainHttpUrl.test(url), 'holds credentials, a query or a fragment');

/**
 * Keys of a settings section that make a session, by the names that keystoneauth has for them: spread them into a `z.strictObject`
 * and give what comes out to {@link readOpenStackSettings}. Every credential has a form with `_file` behind it, which the conductor
 * replaces by the content of the file.
 */
export const openStackSettings = {
  auth_url: httpUrl.optional().describe('URL of Keystone, with or without /v3.'),
  username: name.optional().describe('User; needs a domain.'),
  user_id: name.optional().describe('User, by id.'),
  user_domain_name: name.optional().describe('Domain of the user, by name.'),
  user_domain_id: name.optional().describe('Domain of the user, by id.'),
  password: secret.optional().describe('Password of the user.'),
  project_name: name.optional().describe('Project to act in; needs a domain.'),
  project_id: name.optional().describe('Project to act in, by id.'),
  project_domain_name: name.optional().describe('Domain of the project, by name.'),
  project_domain_id: name.optional().describe('Domain of the project, by id.'),
  domain_name: name.optional().describe('Domain to act in instead of a project, by name.'),
  domain_id: name.optional().describe('Domain to act in instead of a project, by id.'),
  system_scope: z.literal('all').optional().describe('"all": act on the whole deployment instead of in a project.'),
  application_credential_id: name.optional().describe('Application credential instead of user and password, by id.'),
  application_credential_name: name.optional().describe('The same by name; needs the user.'),
  application_credential_secret: secret.optional().describe('Secret of the application credential.'),
  token: secret.optional().describe('Token to get others by, instead of user and password; it cannot outlive itself.'),
  region_name: name.optional().describe('Region of the endpoints. Default: any.'),
  interface: endpointInterface.optional().describe('The one interface whose endpoints are used.'),
  valid_interfaces: z
    .array(endpointInterface)
    .min(1)
    .optional()
    .describe('Interfaces of endpoints in the order of preference. Default: internal, public.'),
  endpoint_override: httpUrl
    .optional()
    .describe('URL of the service instead of the one in the catalogue; %(project_id)s in it is replaced.'),
  cafile: z.string().min(1).optional().describe('PEM file of the CAs that are trusted. Default: those of Node.'),
  insecure: z.boolean().default(false).describe('Whether TLS certificates go unverified.'),
  timeout: z
    .number()
    .min(0.1)
    .max(3600)
    .default(defaultPatience.requestTimeoutMs / 1000)
    .describe('Seconds for the answer to one request.'),
};

const sectionSchema = z.object(openStackSettings);

/** What {@link openStackSettings} give when they are parsed. */
export type OpenStackSettings = z.output<typeof sectionSchema>;

export interface OpenStackOptions {
  readonly session: SessionOptions;
  readonly endpoint: EndpointOptions;
}

/** Reports what is wrong with a key: `context.addIssue` of a zod transform is one. */
export type ReportIssue = (issue: {
  readonly code: 'custom';
  readonly path: string[];
  readonly message: string;
}) => void;

/**
 * Makes options of settings, in a transform of their section:
 *
 *     z.strictObject({ ...openStackSettings, own: … }).transform((section, context) =>
 *       readOpenStackSettings(section, { usesKeystone: true, report: (issue) => context.addIssue(issue) }))
 *
 * The kind of authentication follows from the keys that are given.
 * @returns undefined when something was reported.
 */
export function readOpenStackSettings(
  section: OpenStackSettings,
  { usesKeystone, report }: { readonly usesKeystone: boolean; readonly report: ReportIssue },
): OpenStackOptions | undefined {
  let isValid = true;
  const fail = (key: keyof OpenStackSettings, message: string) => {
    isValid = false;
    report({ code: 'custom', path: [key], message });
  };
  if (section.insecure && section.cafile !== undefined) fail('insecure', 'contradicts cafile: give one of them');
  if (section.interface !== undefined && section.valid_interfaces !== undefined) {
    fail('interface', 'says the same as valid_interfaces: give one of them');
  }
  const auth = readAuth(section, usesKeystone, fail);
  if (!isValid || auth === undefined) return undefined;
  const requestTimeoutMs = section.timeout * 1000;
  return {
    session: {
      auth,
      verifyCa: section.insecure ? false : (section.cafile ?? true),
      patience: {
        ...defaultPatience,
        requestTimeoutMs,
        connectTimeoutMs: Math.min(requestTimeoutMs, defaultPatience.connectTimeoutMs),
      },
    },
    endpoint: {
      region: section.region_name ?? null,
      interfaces:
        section.interface === undefined ? (section.valid_interfaces ?? ['internal', 'public']) : [section.interface],
      override: section.endpoint_override ?? null,
    },
  };
}
