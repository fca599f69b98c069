import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Agent, type Dispatcher } from 'undici';
import { ControllingHandler, PassingHandler } from '../../lib/middleware/handler';

const server = createServer((request, response) => {
  if (request.url === '/cut') {
    response.writeHead(200, { 'content-length': 10 });
    response.write('begun', () => response.destroy());
    return;
  }
  response.writeEarlyHints({ link: '</style.css>; rel=preload' });
  response.writeHead(200, { trailer: 'x-sum', 'x-a': 'one' });
  response.addTrailers({ 'x-sum': 'all' });
  response.end('body');
}).on('upgrade', (_request, socket) => {
  socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nhello');
});
const agent = new Agent();
let origin: string;

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await agent.destroy();
  server.closeAllConnections();
  server.close();
});

describe.each([
  ['PassingHandler', PassingHandler],
  ['ControllingHandler', ControllingHandler],
])('%s', (_, Handler) => {
  const passing = (): Dispatcher =>
    agent.compose((dispatch) => (options, handler) => dispatch(options, new Handler(handler)));

  test('passes on interim responses, head, body and trailers', async () => {
    const interim: number[] = [];
    const onInfo = ({ statusCode }: { statusCode: number }) => void interim.push(statusCode);
    const { statusCode, headers, body, trailers } = await passing().request({
      origin,
      path: '/',
      method: 'GET',
      onInfo,
    });
    expect(interim).toEqual([103]);
    expect([statusCode, headers['x-a'], await body.text()]).toEqual([200, 'one', 'body']);
    expect(trailers).toEqual({ 'x-sum': 'all' });
  });

  test('passes on an upgrade', async () => {
    const protocol = await new Promise((resolve, reject) => {
      passing().dispatch(
        { origin, path: '/', method: 'GET', upgrade: 'echo' },
        {
          // Without it undici takes a handler for one of its old interface.
          onRequestStart: () => {},
          onRequestUpgrade: (_controller, status, headers, socket) => {
            socket.destroy();
            resolve([status, headers.upgrade]);
          },
          onResponseError: (_controller, error) => reject(error),
        },
      );
    });
    expect(protocol).toEqual([101, 'echo']);
  });

  test('passes on a body that breaks off', async () => {
    const { body } = await passing().request({ origin, path: '/cut', method: 'GET' });
    await expect(body.text()).rejects.toMatchObject({ code: 'UND_ERR_SOCKET' });
  });

  test('an abort reaches the connection, with its reason', async () => {
    const reason = new Error('of no use any more');
    const seen = await new Promise<{ error: Error; aborted: boolean; reason: Error | null }>((resolve) => {
      passing().dispatch(
        { origin, path: '/', method: 'GET' },
        {
          onRequestStart: (controller) => controller.abort(reason),
          onResponseError: ({ aborted, reason }, error) => resolve({ error, aborted, reason }),
        },
      );
    });
    expect(seen).toEqual({ error: reason, aborted: true, reason });
  });

  test('a pause reaches the connection', async () => {
    const seen: string[] = [];
    await new Promise<void>((resolve, reject) => {
      passing().dispatch(
        { origin, path: '/', method: 'GET' },
        {
          onRequestStart: () => {},
          onResponseStart: (controller, status) => {
            if (status < 200) return;
            controller.pause();
            seen.push(`paused: ${controller.paused}`);
            setImmediate(() => {
              seen.push('resumed');
              controller.resume();
            });
          },
          onResponseData: (_controller, chunk) => void seen.push(String(chunk)),
          onResponseEnd: () => resolve(),
          onResponseError: (_controller, error) => reject(error),
        },
      );
    });
    expect(seen).toEqual(['paused: true', 'resumed', 'body']);
  });
});
