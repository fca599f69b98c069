/** Receives notifications with node:http only. For real use, see support/receive.ts. */
import { createServer } from 'node:http';
import { receive, type Start } from './support/receive';

export const start: Start = (notifications, paid, port) =>
  createServer(
    notifications.nodeHandler(async ({ event_type, resource }) => {
      if (event_type === 'TRANSACTION.SUCCESS') await paid(resource.out_trade_no);
    }),
  ).listen(port);

if (require.main === module) void receive(start);
