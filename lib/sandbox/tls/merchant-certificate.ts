import { X509Certificate } from 'node:crypto';
import type { KnownOperation } from '../catalogue';
import type { Identity } from '../identity';
import type { IncomingRequest } from '../wire/request';

/** WeChat Pay's words for a certificate that is missing or wrong. */
const REFUSED = '证书验证失败';

/** Whether the connection has to present the merchant's certificate: only with TLS. */
export function demandsCertificate({ peer }: IncomingRequest, operation: KnownOperation | undefined): boolean {
  return peer !== undefined && operation?.fact.mtls === true;
}

/**
 * Looks at the client certificate of a connection: it must be the API certificate of the merchant who signed.
 * @returns what is wrong with it; `undefined` where nothing is
 */
export function certificateIssue({ peer }: IncomingRequest, { id, certificate }: Identity): string | undefined {
  const expected = new X509Certificate(certificate);
  const presented = peer?.certificate;
  if (presented?.raw.equals(expected.raw)) return undefined;
  const hint = `Present the API certificate of ${id} (serial number ${expected.serialNumber}) with its key as the TLS client certificate.`;
  if (!presented) return `${REFUSED}: the client presented no certificate. ${hint}`;
  return `${REFUSED}: the client presented another certificate (serial number ${presented.serialNumber}). ${hint}`;
}
