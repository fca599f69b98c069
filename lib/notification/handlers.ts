import { InvalidArgumentError, SignatureError, TimeoutError } from '../errors';
import { deduplicator, type Outcome, PATIENCE } from './deduplicate';
import { failure, type Protocol, type Reply, refuse, success } from './reply';
import { type RawRequest, readRequest } from './request';
import type { NotificationStore } from './store';
import type {
  AnyNotification,
  HandlerOptions,
  NodeHandler,
  NotificationFunction,
  NotificationRequest,
  WebHandler,
} from './types';

const REPLIES: Record<Outcome, (protocol: Protocol) => Reply> = {
  done: success,
  failed: (protocol) => failure(undefined, protocol),
  busy: (protocol) => refuse(503, 'The notification is being processed.', protocol),
};

/** The dependencies of handlers. */
export interface HandlerContext {
  parse(raw: RawRequest): Promise<AnyNotification>;
  maxBodySize: number;
  store: NotificationStore | undefined;
  /** How many seconds to keep the ids of processed notifications. */
  keep: number;
  onError: ((error: unknown) => unknown) | undefined;
}

/** Handlers for Node.js and for standard requests. Within a context, handlers with the same name share processed ids. */
export function createHandlers({ parse, maxBodySize, store, keep, onError = print }: HandlerContext) {
  // Whatever `onError` does, the reply is sent.
  const report = (error: unknown): void => void (async () => onError(error))().catch(() => {});
  const deduplicate = deduplicator({ store, keep, report });
  const nameOf = handlerNames();

  const respond = async (
    request: NotificationRequest,
    process: NotificationFunction<never>,
    name: string,
  ): Promise<Reply> => {
    let protocol: Protocol = 'v3';
    const late = new AbortController();
    const work = async (): Promise<Reply> => {
      try {
        const raw = await readRequest(request, maxBodySize, late.signal);
        protocol = protocolOfBody(raw);
        const notification = await parse(raw);
        // The reply "too late" has been sent: the next delivery will process it.
        if (late.signal.aborted) return failure();
        const run = () => process(notification as never);
        return REPLIES[await deduplicate(`${name}:${notification.id}`, run, late.signal)](protocol);
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
    nodeHandler: (process: NotificationFunction<never>, options?: HandlerOptions): NodeHandler => {
      const name = nameOf(process, options);
      return async (request, response) => {
        const { status, headers, body } = await respond(request, process, name);
        if (response.headersSent) return;
        response.statusCode = status;
        for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
        // Do not wait for the rest of a body that is too large or too slow.
        if (!request.complete && request.httpVersionMajor === 1) response.setHeader('connection', 'close');
        response.end(body);
      };
    },
    webHandler: (process: NotificationFunction<never>, options?: HandlerOptions): WebHandler => {
      const name = nameOf(process, options);
      return async (request) => {
        const { body, ...init } = await respond(request, process, name);
        return new Response(body || null, init);
      };
    },
  };
}

/** XML starts with `<`; JSON never does. */
export function protocolOfBody({ body }: RawRequest): Protocol {
  return body.find((octet) => octet > 0x20) === 0x3c ? 'v2' : 'v3';
}

/** The name of a handler that was given none. */
const UNNAMED = 'default';

/**
 * Checks the names of handlers. Two functions under one name would each skip the notifications that the other has
 * processed, so that must not happen by accident.
 */
function handlerNames() {
  let unnamed: unknown;
  return (process: unknown, options: HandlerOptions = {}): string => {
    if (typeof process !== 'function')
      throw new InvalidArgumentError('A handler requires a function that processes the notification.');
    const { name, ...rest } = readOptions(options);
    const unknown = Object.keys(rest)[0];
    if (unknown !== undefined) throw new InvalidArgumentError(`Unknown option "${unknown}"; valid options: name.`);
    if (name !== undefined) return readName(name);
    unnamed ??= process;
    if (unnamed === process) return UNNAMED;
    throw new InvalidArgumentError(
      'An unnamed handler already exists. Handlers deduplicate by name: create each one once, when the ' +
        "program starts, and give the others distinct names, as in nodeHandler(process, { name: 'refunds' }).",
    );
  };
}

function readOptions(options: unknown): Record<string, unknown> {
  if (typeof options === 'object' && options !== null) return { ...options };
  throw new InvalidArgumentError('The options of a handler must be an object.');
}

function readName(name: unknown): string {
  if (typeof name === 'string' && /^[\w.-]{1,64}$/.test(name)) return name;
  throw new InvalidArgumentError('The "name" of a handler must be 1 to 64 letters, digits, ".", "_" or "-".');
}

function print(error: unknown): void {
  if (!(error instanceof SignatureError && error.probe)) console.error(error);
}
