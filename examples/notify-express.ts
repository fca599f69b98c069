/** Receives notifications with Express. For real use, see support/receive.ts. */
import express from 'express';
import { receive, type Start } from './support/receive';

export const start: Start = (notifications, paid, port) => {
  const app = express();
  app.post(
    '/notify', // before express.json(), because the signature covers the raw bytes
    notifications.nodeHandler(async ({ event_type, resource }) => {
      if (event_type === 'TRANSACTION.SUCCESS') await paid(resource.out_trade_no);
    }),
  );
  app.use(express.json());
  return app.listen(port);
};

if (require.main === module) void receive(start);
