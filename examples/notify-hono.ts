/** Receives notifications with Hono, here on Node.js. For real use, see support/receive.ts. */
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { receive, type Start } from './support/receive';

export const start: Start = (notifications, paid, port) => {
  const handle = notifications.webHandler(async ({ event_type, resource }) => {
    if (event_type === 'TRANSACTION.SUCCESS') await paid(resource.out_trade_no);
  });
  const app = new Hono();
  app.post('/notify', (context) => handle(context.req.raw));
  return serve({ fetch: app.fetch, port });
};

if (require.main === module) void receive(start);
