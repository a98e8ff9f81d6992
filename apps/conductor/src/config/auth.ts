import { openStackSettings, readOpenStackSettings, type OpenStackOptions } from '@ironbark/openstack/settings';
import { z } from 'zod';
import { httpUrl, path } from './fields.ts';

const noauth = z.strictObject({
  strategy: z.literal('noauth').describe('Everybody may do everything: for a network that only the operator reaches.'),
});

const httpBasic = z.strictObject({
  strategy: z.literal('http_basic').describe('User and password against an htpasswd file.'),
  htpasswd: path.describe('File with bcrypt hashes, as `htpasswd -B` writes it.'),
  roles: z
    .record(z.string(), z.enum(['admin', 'member', 'reader']))
    .optional()
    .describe('Role per user; a user that is not named has none. Default: every user is an admin.'),
});

const {
  // The service behind this section is the conductor itself, and a token cannot be renewed without credentials.
  endpoint_override: _override,
  token: _token,
  ...sessionSettings
} = openStackSettings;

const keystone = z.strictObject({
  strategy: z
    .literal('keystone')
    .describe('Tokens of Keystone. What follows is how the conductor itself logs in there, to ask about them.'),
  ...sessionSettings,
  // Replaced by what the files hold before this is read; here for editors.
  password_file: path.optional().describe('File with the password, instead of it.'),
  application_credential_secret_file: path.optional().describe('File with the secret, instead of it.'),
  www_authenticate_uri: httpUrl
    .optional()
    .describe('URL of Keystone as clients reach it; an answer with status 401 names it. Default: auth_url.'),
  token_cache_seconds: z
    .number()
    .min(0)
    .max(3600)
    .default(300)
    .describe('How long a token is taken for valid before Keystone is asked again. So long may a revoked one be used.'),
  system_projects: z
    .array(z.string().min(1))
    .default([])
    .describe('Projects whose roles hold for all nodes: ids, or name@domain. For example that of the user of Nova.'),
});

export interface KeystoneAuth extends OpenStackOptions {
  readonly strategy: 'keystone';
  /** URL of Keystone as clients reach it. */
  readonly authUri: string;
  readonly tokenCacheSeconds: number;
  readonly systemProjects: readonly string[];
}

/** Who may use the API, and how they prove it. */
export const auth = z
  .discriminatedUnion('strategy', [noauth, httpBasic, keystone])
  .default({ strategy: 'noauth' })
  .transform((section, context) => {
    if (section.strategy === 'keystone') {
      return readKeystone(section, (issue) => context.addIssue(issue)) ?? z.NEVER;
    }
    if (section.strategy === 'noauth') return section;
    const { strategy, htpasswd, roles } = section;
    return { strategy, htpasswd, ...(roles === undefined ? {} : { roles }) };
  })
  .describe('Who may use the API.');

function readKeystone(
  section: z.output<typeof keystone>,
  report: Parameters<typeof readOpenStackSettings>[1]['report'],
): KeystoneAuth | undefined {
  const options = readOpenStackSettings(section, { usesKeystone: true, report });
  if (options === undefined) return undefined;
  const { strategy, auth_url: url = '', www_authenticate_uri: authUri = url } = section;
  return {
    strategy,
    ...options,
    authUri,
    tokenCacheSeconds: section.token_cache_seconds,
    systemProjects: section.system_projects,
  };
}
