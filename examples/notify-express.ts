/** Receives notifications with Express. How to run it for real: see support/receive.ts. */
import express from 'express';
import { receive, type Start } from './support/receive';

export const start: Start = (notifications, paid, port) => {
  const app = express();
  app.post(
    '/notify', // before express.json(): the signature is over the bytes as they came
    notifications.nodeHandler(async ({ event_type, resource }) => {
      if (event_type === 'TRANSACTION.SUCCESS') await paid(resource.out_trade_no);
    }),
  );
  app.use(express.json());
  return app.listen(port);
};

if (require.main === module) void receive(start);
