import { InvalidArgumentError, SignatureError, TimeoutError } from '../errors';
import { type Outcome, processOnce } from './once';
import { type RawRequest, readRequest } from './raw-body';
import { failure, type Protocol, type Reply, refuse, success } from './reply';
import type { NotificationStore } from './store';
import type { AnyNotification, NodeHandler, NotificationFunction, NotificationRequest, WebHandler } from './types';

/** How long WeChat Pay waits for an answer, in milliseconds. */
const PATIENCE = 5000;

const REPLIES: Record<Outcome, (protocol: Protocol) => Reply> = {
  done: success,
  failed: (protocol) => failure(undefined, protocol),
  busy: (protocol) => refuse(503, 'The notification is being processed.', protocol),
};

/** What handlers need. */
export interface HandlerContext {
  parse(raw: RawRequest): Promise<AnyNotification>;
  maxBodySize: number;
  store: NotificationStore | undefined;
  onError: ((error: unknown) => unknown) | undefined;
}

/** Handlers for Node and for standard requests; of one context, they share what has been processed. */
export function createHandlers({ parse, maxBodySize, store, onError = print }: HandlerContext) {
  // Whatever it does with the error, the answer is sent.
  const report = (error: unknown): void => void (async () => onError(error))().catch(() => {});
  const once = processOnce(store, report);

  const respond = async (request: NotificationRequest, process: NotificationFunction<never>): Promise<Reply> => {
    let protocol: Protocol = 'v3';
    const late = new AbortController();
    const work = async (): Promise<Reply> => {
      try {
        const raw = await readRequest(request, maxBodySize, late.signal);
        protocol = protocolOf(raw);
        const notification = await parse(raw);
        // It has been answered as too late already: the repeat is to process it.
        if (late.signal.aborted) return failure();
        return REPLIES[await once(notification.id, () => process(notification as never))](protocol);
      } catch (error) {
        report(error);
        return failure(error, protocol);
      }
    };
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<Reply>((resolve) => {
      timer = setTimeout(() => {
        report(new TimeoutError(`The notification took longer than ${PATIENCE} ms; WeChat Pay will send it again.`));
        late.abort();
        resolve(failure(undefined, protocol));
      }, PATIENCE);
    });
    return Promise.race([work(), limit]).finally(() => clearTimeout(timer));
  };

  return {
    handler: (process: NotificationFunction<never>): NodeHandler => {
      requireFunction(process);
      return async (request, response) => {
        const { status, headers, body } = await respond(request, process);
        if (response.headersSent) return;
        response.statusCode = status;
        for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
        // The rest of a body that is too large or too slow is not waited for.
        if (!request.complete && request.httpVersionMajor === 1) response.setHeader('connection', 'close');
        response.end(body);
      };
    },
    webHandler: (process: NotificationFunction<never>): WebHandler => {
      requireFunction(process);
      return async (request) => {
        const { body, ...init } = await respond(request, process);
        return new Response(body || null, init);
      };
    },
  };
}

/** XML begins with `<`, which no JSON does. */
export function protocolOf({ body }: RawRequest): Protocol {
  return body.find((octet) => octet > 0x20) === 0x3c ? 'v2' : 'v3';
}

function requireFunction(process: unknown): void {
  if (typeof process !== 'function')
    throw new InvalidArgumentError('A handler needs the function that processes a notification.');
}

function print(error: unknown): void {
  if (!(error instanceof SignatureError && error.probe)) console.error(error);
}
