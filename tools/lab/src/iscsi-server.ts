import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { run, startService, type Service } from './child-process.ts';
import { LabError } from './lab-error.ts';
import { freePort, loopback } from './loopback.ts';
import { poll } from './wait.ts';

const startAttempts = 5;
const startTimeoutMs = 10_000;

export interface ChapAccount {
  readonly username: string;
  /** Some initiators refuse secrets under 12 bytes (RFC 7143 section 9.2.1). */
  readonly password: string;
}

export interface IscsiTargetOptions {
  readonly iqn: string;
  /** Files or block devices by LUN; LUN 0 is taken by tgtd's controller. */
  readonly volumes: Readonly<Record<number, string>>;
  /** What an initiator has to prove; without it every initiator may log in. */
  readonly chap?: ChapAccount;
  /** What the target proves to an initiator that asks for it. Needs `chap`. */
  readonly mutualChap?: ChapAccount;
}

export interface IscsiSession {
  readonly initiator: string;
  readonly address: string;
}

export interface IscsiPortal {
  readonly host: string;
  readonly port: number;
}

interface Target {
  readonly tid: number;
  readonly accounts: readonly ChapAccount[];
}

export interface IscsiServerOptions {
  /** Where it makes its own folder. */
  readonly directory: string;
  /** Address of its portals; targets announce it to initiators that ask for them. Default: loopback. */
  readonly host?: string;
  readonly signal?: AbortSignal;
}

/**
 * An iSCSI target daemon (tgtd) of its own: portals with ports of its own, a control socket in a private folder.
 * Needs no root; the user needs to be allowed to read and write the backing files.
 */
export class IscsiServer {
  readonly #directory: string;
  readonly #service: Service;
  readonly #portals: IscsiPortal[];
  readonly #host: string;
  readonly #targets = new Map<string, Target>();
  #lastTid = 0;

  private constructor(directory: string, service: Service, portal: IscsiPortal) {
    this.#directory = directory;
    this.#service = service;
    this.#portals = [portal];
    this.#host = portal.host;
  }

  /** @throws LAB_COMMAND_FAILED, LAB_PROCESS_ENDED, LAB_TIMEOUT */
  static async start(options: IscsiServerOptions): Promise<IscsiServer> {
    const { host = loopback } = options;
    for (let attempt = 1; ; attempt += 1) {
      const directory = await mkdtemp(join(options.directory, 'tgt-'));
      const port = await freePort();
      const args = ['-f', '--iscsi', `portal=${host}:${port}`];
      const service = startService('tgtd', args, { env: controlEnvironment(directory) });
      const server = new IscsiServer(directory, service, { host, port });
      try {
        if (await server.#isListening(options.signal)) return server;
      } catch (error) {
        await server.stop();
        throw error;
      }
      await server.stop();
      if (attempt === startAttempts) throw new LabError('LAB_COMMAND_FAILED', 'tgtd found no free port.');
    }
  }

  /** Of the daemon. */
  get pid(): number {
    return this.#service.pid;
  }

  /** The first portal. */
  get portal(): IscsiPortal {
    const [first] = this.#portals;
    if (first === undefined) throw new LabError('LAB_INVALID', 'The iSCSI server has no portal any more.');
    return first;
  }

  /** Environment in which `tgtadm` reaches this daemon. Targets that others make there are not known here. */
  get environment(): Readonly<Record<string, string>> {
    return controlEnvironment(this.#directory);
  }

  get portals(): readonly IscsiPortal[] {
    return [...this.#portals];
  }

  /** Opens one more portal to the same targets: a second path. */
  async addPortal(): Promise<IscsiPortal> {
    for (let attempt = 1; ; attempt += 1) {
      const portal = { host: this.#host, port: await freePort() };
      try {
        await this.#admin('portal', 'new', '--param', `portal=${portal.host}:${portal.port}`);
        this.#portals.push(portal);
        return portal;
      } catch (error) {
        if (attempt === startAttempts) throw error;
      }
    }
  }

  /** Closes a portal: nobody can connect to it any more. Sessions that use it stay. */
  async removePortal(portal: IscsiPortal): Promise<void> {
    await this.#admin('portal', 'delete', '--param', `portal=${portal.host}:${portal.port}`);
    const index = this.#portals.findIndex((each) => each.port === portal.port);
    if (index >= 0) this.#portals.splice(index, 1);
  }

  /**
   * @throws LAB_INVALID when the name is taken, or a user name stands for another password already (tgtd's accounts are global).
   */
  async addTarget(options: IscsiTargetOptions): Promise<void> {
    const { iqn, chap, mutualChap } = options;
    if (this.#targets.has(iqn)) throw new LabError('LAB_INVALID', `The target ${iqn} exists already.`);
    if (mutualChap !== undefined && chap === undefined) {
      throw new LabError('LAB_INVALID', `The target ${iqn} has mutualChap without chap.`);
    }
    const accounts = [chap, mutualChap].filter((account) => account !== undefined);
    for (const account of accounts) this.#assertConsistent(account);
    this.#lastTid += 1;
    const tid = String(this.#lastTid);
    const known = new Set(this.#accounts().map((account) => account.username));
    this.#targets.set(iqn, { tid: this.#lastTid, accounts });
    await this.#admin('target', 'new', '--tid', tid, '--targetname', iqn);
    for (const [lun, path] of Object.entries(options.volumes)) {
      await this.#admin('logicalunit', 'new', '--tid', tid, '--lun', lun, '--backing-store', path);
    }
    for (const { username, password } of accounts) {
      if (known.has(username)) continue;
      known.add(username);
      // tgtadm takes a password only as an argument. It is a throwaway of the lab and visible for some milliseconds.
      await this.#admin('account', 'new', '--user', username, '--password', password);
    }
    if (chap !== undefined) await this.#admin('account', 'bind', '--tid', tid, '--user', chap.username);
    if (mutualChap !== undefined) {
      await this.#admin('account', 'bind', '--tid', tid, '--user', mutualChap.username, '--outgoing');
    }
    // Last, so that nobody gets in before the accounts are bound.
    await this.#admin('target', 'bind', '--tid', tid, '--initiator-address', 'ALL');
  }

  /** Removes a target and ends its sessions. Does nothing when it does not exist. */
  async removeTarget(iqn: string): Promise<void> {
    const target = this.#targets.get(iqn);
    if (target === undefined) return;
    this.#targets.delete(iqn);
    await this.#admin('target', 'delete', '--force', '--tid', String(target.tid));
    const used = new Set(this.#accounts().map((account) => account.username));
    const unused = new Set(target.accounts.map((account) => account.username).filter((name) => !used.has(name)));
    for (const username of unused) await this.#admin('account', 'delete', '--user', username);
  }

  targets(): readonly string[] {
    return [...this.#targets.keys()];
  }

  /** Who is logged in to a target now. */
  async sessions(iqn: string): Promise<readonly IscsiSession[]> {
    const target = this.#targets.get(iqn);
    if (target === undefined) return [];
    return parseSessions(await this.#admin('target', 'show'), target.tid);
  }

  /** Ends the daemon, its sessions and everything that it left on disk. Backing files stay. */
  async stop(): Promise<void> {
    // tgtd ignores SIGTERM while it has targets.
    await this.#service.stop('SIGKILL');
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #isListening(signal: AbortSignal | undefined): Promise<boolean> {
    const ask = async (): Promise<string | undefined> => {
      if (!this.#service.isRunning()) {
        const { stderr } = await this.#service.exited;
        throw new LabError('LAB_PROCESS_ENDED', `tgtd ended at once.\n${stderr}`);
      }
      return this.#admin('portal', 'show').catch(() => undefined);
    };
    const what = 'tgtd to answer on its control socket';
    const portals = await poll(ask, { what, timeoutMs: startTimeoutMs, signal });
    return portals.includes(`${this.portal.host}:${this.portal.port},`);
  }

  #accounts(): readonly ChapAccount[] {
    return [...this.#targets.values()].flatMap((target) => target.accounts);
  }

  #assertConsistent(account: ChapAccount): void {
    const other = this.#accounts().find((each) => each.username === account.username);
    if (other === undefined || other.password === account.password) return;
    throw new LabError('LAB_INVALID', `Another target of this server has another password for ${account.username}.`, {
      hint: 'Use another user name: the accounts of tgtd are global.',
    });
  }

  async #admin(mode: string, operation: string, ...args: readonly string[]): Promise<string> {
    const command = ['--lld', 'iscsi', '--mode', mode, '--op', operation, ...args];
    return run('tgtadm', command, { env: this.environment, timeoutMs: 10_000 });
  }
}

function controlEnvironment(directory: string): Readonly<Record<string, string>> {
  return { TGT_IPC_SOCKET: join(directory, 'control') };
}

/** Reads the `I_T nexus` paragraphs of one target from `tgtadm --mode target --op show`. */
export function parseSessions(output: string, tid: number): readonly IscsiSession[] {
  const section = output.split(/^(?=Target \d+: )/m).find((text) => text.startsWith(`Target ${tid}: `)) ?? '';
  return section
    .split(/^\s*I_T nexus: /m)
    .slice(1)
    .map((nexus) => ({
      initiator: /Initiator: (\S+)/.exec(nexus)?.[1] ?? '',
      address: /IP Address: (\S+)/.exec(nexus)?.[1] ?? '',
    }));
}
