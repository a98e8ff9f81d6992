import type { OpenStackDetails, OpenStackUser } from '@ironbark/lab/openstack';
import { execa } from 'execa';

/** The real command-line client of Glance and Cinder, as somebody who logs in to Keystone. */
export class CloudClient {
  readonly #environment: Readonly<Record<string, string>>;

  constructor({ authUrl, region }: OpenStackDetails, { username, password, project }: OpenStackUser) {
    this.#environment = {
      OS_AUTH_TYPE: 'password',
      OS_AUTH_URL: authUrl,
      OS_IDENTITY_API_VERSION: '3',
      OS_REGION_NAME: region,
      OS_USERNAME: username,
      OS_PASSWORD: password,
      OS_PROJECT_NAME: project,
      OS_USER_DOMAIN_NAME: 'Default',
      OS_PROJECT_DOMAIN_NAME: 'Default',
    };
  }

  /** Runs `openstack …`, which prints an identifier. @throws with what it wrote to standard error when it fails. */
  async id(...args: readonly (string | readonly string[])[]): Promise<string> {
    const env = this.#environment;
    const options = { env, stdin: 'ignore', timeout: 120_000 } as const;
    return (await execa('openstack', [...args.flat(), '-f', 'value', '-c', 'id'], options)).stdout;
  }
}
