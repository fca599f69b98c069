/** Receives notifications with Koa. For real use, see support/receive.ts. */
import Koa from 'koa';
import { receive, type Start } from './support/receive';

export const start: Start = (notifications, paid, port) => {
  const handle = notifications.nodeHandler(async ({ event_type, resource }) => {
    if (event_type === 'TRANSACTION.SUCCESS') await paid(resource.out_trade_no);
  });
  const app = new Koa();
  // Before any body parser, because the signature covers the raw bytes.
  app.use(async (context, next) => {
    if (context.method !== 'POST' || context.path !== '/notify') return next();
    context.respond = false;
    await handle(context.req, context.res);
  });
  return app.listen(port);
};

if (require.main === module) void receive(start);
