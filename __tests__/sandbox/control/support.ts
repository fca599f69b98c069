import { request } from 'node:http';
import type { Sandbox } from 'wechatpay-undici/sandbox';

export interface Replied {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: what tests look into is different each time
  json: any;
}

/** Calls the control API as a client in another language does, over a socket of its own. */
export function control(
  { url }: Pick<Sandbox, 'url'>,
  call: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Replied> {
  const [method = '', path = ''] = call.split(' ');
  const sent = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const target = new URL(url);
    const outgoing = request(
      { host: target.hostname, port: target.port, method, path, agent: false, headers },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          const isJson = /json/.test(incoming.headers['content-type'] ?? '');
          const { statusCode = 0, headers } = incoming;
          resolve({ status: statusCode, headers, text, json: isJson ? JSON.parse(text) : undefined });
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(sent);
  });
}
