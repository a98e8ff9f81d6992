import type { OpenStackDetails } from '@ironbark/lab/openstack';

/** Settings of the storage driver for a conductor beside the services. */
export function cinderSettings({ authUrl, region, users }: OpenStackDetails): Readonly<Record<string, unknown>> {
  const { username, password, project } = users.conductor;
  return {
    auth_url: authUrl,
    username,
    password,
    project_name: project,
    user_domain_name: 'Default',
    project_domain_name: 'Default',
    region_name: region,
    action_retry_interval: 0.1,
  };
}
