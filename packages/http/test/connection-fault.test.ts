import { describe, expect, it } from 'vitest';
import { connectionFault, type SettingNames } from '../src/index.ts';

const names: SettingNames = {
  service: 'service',
  address: 'settings.x.url',
  ca: 'settings.x.cafile',
  insecure: { setting: 'settings.x.insecure', value: 'true' },
};

function fetchError(code: string): Error {
  return new TypeError('fetch failed', { cause: Object.assign(new Error('secret'), { code }) });
}

describe('the diagnosis of an error', () => {
  it.each([
    ['ENOTFOUND', 'the host name does not resolve', 'Correct settings.x.url, or add the name to DNS.'],
    [
      'UND_ERR_CONNECT_TIMEOUT',
      'the host did not answer in time',
      'Check settings.x.url, the network to the service, and that its web service runs.',
    ],
    [
      'ERR_TLS_CERT_ALTNAME_INVALID',
      'its TLS certificate is for another name',
      'Write the name of the certificate in settings.x.url, or replace the certificate.',
    ],
    [
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'its TLS certificate is not signed by a trusted CA',
      'Set settings.x.cafile to the PEM file of the CA that signed it; settings.x.insecure true turns the check off.',
    ],
    [
      'CERT_HAS_EXPIRED',
      'its TLS certificate is not valid today',
      "Renew the certificate or set the service's clock; settings.x.insecure true ignores it.",
    ],
    [
      'ERR_SSL_WRONG_VERSION_NUMBER',
      'the TLS handshake failed',
      'Check the port in settings.x.url; a service without TLS needs an address with "http://".',
    ],
    ['HPE_INVALID_CONSTANT', 'the answer is not HTTP', 'Check scheme and port in settings.x.url.'],
  ])('%s names the problem and the setting', (code, problem, hint) => {
    const fault = connectionFault(fetchError(code));
    expect([fault.problem, fault.hint(names)]).toEqual([problem, hint]);
  });

  it.each([
    ['ECONNREFUSED', false],
    ['UND_ERR_CONNECT_TIMEOUT', false],
    ['EAI_AGAIN', false],
    ['CERT_HAS_EXPIRED', false],
    ['ECONNRESET', true],
    ['UND_ERR_SOCKET', true],
    ['SOMETHING_NEW', true],
  ])('%s tells whether the request may have arrived: %s', (code, mayHaveArrived) => {
    expect(connectionFault(fetchError(code)).mayHaveArrived).toBe(mayHaveArrived);
  });

  it('says once where certificates are set when one setting is for both', () => {
    const insecure = { setting: 'verify_ca', value: '"false"' };
    const hint = connectionFault(fetchError('CERT_UNTRUSTED')).hint({ ...names, ca: 'verify_ca', insecure });
    expect(hint).toBe('Set verify_ca to the PEM file of the CA that signed it; "false" turns the check off.');
  });

  it('keeps the codes, and not the message, which may hold the request', () => {
    const fault = connectionFault(fetchError('ECONNRESET'));
    expect(fault.codes).toEqual(['TypeError', 'ECONNRESET']);
    expect(JSON.stringify(fault)).not.toContain('secret');
  });
});
