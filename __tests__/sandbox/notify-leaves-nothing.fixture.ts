import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { Sandbox } from '../../lib/sandbox';

/** Closes a sandbox whose notifications are to be repeated; the test waits for this process to end by itself. */
async function main(): Promise<void> {
  const sandbox = await Sandbox.start();
  const server = createServer((request, response) => {
    if (request.url !== '/silent') response.writeHead(500).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const urls = [`${url}/failing`, `${url}/silent`, 'http://127.0.0.1:1/'];
  const deliveries = urls.map((to) => sandbox.notify('TRANSACTION.SUCCESS', { out_trade_no: 'ORDER-1' }, to));
  while (sandbox.notifications.filter(({ attempts }) => attempts.length > 0).length < 2) await setTimeout(5);
  // One waits for a reply, the others for their time.
  await sandbox.close();
  console.log(JSON.stringify((await Promise.all(deliveries)).map(({ attempts }) => attempts.length)));
  server.close();
}

void main();
