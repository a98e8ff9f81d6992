import { execa } from 'execa';

/** The real command-line client of the Bare Metal service, from Debian's python3-openstackclient and python3-ironicclient. */
export class OpenstackClient {
  readonly #endpoint: string;

  constructor(endpoint: string) {
    this.#endpoint = endpoint;
  }

  /**
   * Runs `openstack baremetal …`; lists among the arguments stand for their items.
   * @returns what it printed. @throws with what it wrote to standard error when it fails.
   */
  async baremetal(...args: readonly (string | readonly string[])[]): Promise<string> {
    const { stdout } = await execa('openstack', ['baremetal', ...args.flat()], {
      env: { OS_AUTH_TYPE: 'none', OS_ENDPOINT: this.#endpoint },
      stdin: 'ignore',
      timeout: 120_000,
    });
    return stdout;
  }

  /** As {@link baremetal}, with JSON output decoded. */
  async json<Result>(...args: readonly (string | readonly string[])[]): Promise<Result> {
    return JSON.parse(await this.baremetal(...args, '-f', 'json')) as Result;
  }
}
