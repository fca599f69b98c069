/** The two protocols of WeChat Pay's API: XML and JSON. */
export type Protocol = 'v2' | 'v3';

/** A leading `v2/` selects the protocol; it is not part of the URL. */
export function protocolOfPath(reference: string): Protocol {
  return /^v2\//i.test(reference) ? 'v2' : 'v3';
}
