/** Receives notifications with Fastify. For real use, see support/receive.ts. */
import fastify from 'fastify';
import { receive, type Start } from './support/receive';

export const start: Start = async (notifications, paid, port) => {
  const handle = notifications.nodeHandler(async ({ event_type, resource }) => {
    if (event_type === 'TRANSACTION.SUCCESS') await paid(resource.out_trade_no);
  });
  const app = fastify();
  // A separate plugin, so that other routes keep their parsers.
  app.register(async (plugin) => {
    plugin.removeAllContentTypeParsers();
    plugin.addContentTypeParser('*', (_request, _payload, done) => done(null));
    plugin.post('/notify', (request, reply) => {
      reply.hijack();
      return handle(request.raw, reply.raw);
    });
  });
  await app.listen({ port, host: '0.0.0.0' });
  return app.server;
};

if (require.main === module) void receive(start);
