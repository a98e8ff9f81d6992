import { execa } from 'execa';
import { expect, test } from 'vitest';
import { servicesOf } from '../src/quiet-services.ts';

test('services are found by their units and by their init scripts, once each', () => {
  const files = [
    '/lib/systemd/system/rpcbind.service',
    '/usr/lib/systemd/system/rpcbind.socket',
    '/etc/init.d/rpcbind',
    '/etc/init.d/tftpd-hpa',
    '/lib/systemd/system/getty@.service',
    '/lib/systemd/system/nfs-ganesha.service.d/local.conf',
    '/usr/sbin/rpcbind',
  ];
  expect(servicesOf(files)).toEqual(['rpcbind.service', 'rpcbind.socket', 'tftpd-hpa.service']);
});

test('the packages that the tests run daemons of are known to define services', async () => {
  const { stdout } = await execa('dpkg-query', ['--listfiles', 'rpcbind', 'tftpd-hpa', 'nfs-ganesha', 'tgt']);
  expect(servicesOf(stdout.split('\n'))).toEqual(
    expect.arrayContaining([
      'rpcbind.service',
      'rpcbind.socket',
      'tftpd-hpa.service',
      'nfs-ganesha.service',
      'tgt.service',
    ]),
  );
});
