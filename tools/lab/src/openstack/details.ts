import type { IscsiPortal } from '../iscsi-server.ts';

export interface OpenStackUser {
  readonly username: string;
  readonly password: string;
  /** The project that the user has its roles in; users and projects are in the domain `Default`. */
  readonly project: string;
  /** Whether it has the role service, so that its token is good as a service token. */
  readonly isService?: boolean;
}

/** The users that exist. Their passwords are throwaways of the lab. */
export const users = {
  /** Role admin. */
  admin: { username: 'admin', password: 'lab-admin-password', project: 'admin' },
  /** Roles admin and service, as the service user of a conductor has them. */
  conductor: { username: 'conductor', password: 'lab-conductor-password', project: 'service', isService: true },
  /** Role member: somebody who owns volumes. */
  demo: { username: 'demo', password: 'lab-demo-password', project: 'demo' },
  /** Role reader in the project of `demo`. */
  reader: { username: 'reader', password: 'lab-reader-password', project: 'demo' },
} as const satisfies Record<string, OpenStackUser>;

/** As whom Cinder asks Keystone about tokens. */
export const cinderUser: OpenStackUser = { username: 'cinder', password: 'lab-cinder-password', project: 'service' };

/** The same of Glance. */
export const glanceUser: OpenStackUser = { username: 'glance', password: 'lab-glance-password', project: 'service' };

export const region = 'RegionOne';

/** Where running services are found: plain data, for a process that did not start them. */
export interface OpenStackDetails {
  /** Of Keystone, with the version: `http://127.0.0.1:20001/v3`. */
  readonly authUrl: string;
  readonly region: string;
  readonly users: typeof users;
  /** Of Cinder, with the version and without a project: `http://127.0.0.1:20002/v3`. */
  readonly blockStorageUrl: string;
  /** Of Glance, without a version: `http://127.0.0.1:20003`. Null when it does not run. */
  readonly imageUrl: string | null;
  /** Where tgtd listens. Cinder tells its clients the same port at the address that machines of the lab reach the host at. */
  readonly portal: IscsiPortal;
  /** Environment for `tgtadm`. */
  readonly iscsiEnvironment: Readonly<Record<string, string>>;
  /** Holds the file of each volume, `volume-<id>`. */
  readonly volumeDirectory: string;
}
