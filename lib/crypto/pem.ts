import { decodeBase64 } from './bytes';

/** One block of a PEM text: its content, or the whole block where PEM itself encrypts it (RFC 1421). */
export type PemBlock = { label: string; der: Uint8Array } | { label: string; encrypted: string } | { label: string };

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----/gs;
const DEK_INFO = /^\s*Proc-Type:\s*4,ENCRYPTED\s+DEK-Info:\s*([\w-]+,[0-9A-Fa-f]+)\s(.*)$/s;

/** Whether a text has the beginning of a PEM block. */
export function isPem(text: string): boolean {
  return text.includes('-----BEGIN ');
}

/**
 * The blocks of a PEM text. Line breaks may be of any kind, or written out as `\n`, or lost to blanks, as happens in
 * environment variables. A block without content is one that is damaged.
 */
export function pemBlocks(text: string): PemBlock[] {
  const lines = text.replace(/\\+[rn]/g, '\n');
  return Array.from(lines.matchAll(BLOCK), ([, label = '', body = '']) => block(label, body));
}

function block(label: string, body: string): PemBlock {
  const [, info, content] = DEK_INFO.exec(body) ?? [];
  const base64 = (content ?? body).replace(/\s+/g, '');
  const der = decodeBase64(base64);
  if (!der?.length) return { label };
  return info === undefined ? { label, der } : { label, encrypted: encryptedPem(label, info, base64) };
}

function encryptedPem(label: string, info: string, base64: string): string {
  const headers = `Proc-Type: 4,ENCRYPTED\nDEK-Info: ${info}\n`;
  const lines = base64.replace(/.{1,64}/g, '$&\n');
  return `-----BEGIN ${label}-----\n${headers}\n${lines}-----END ${label}-----\n`;
}
