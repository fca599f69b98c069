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

/** What handlers need. */
export interface HandlerContext {
  parse(raw: RawRequest): Promise<AnyNotification>;
  maxBodySize: number;
  store: NotificationStore | undefined;
  /** For how many seconds the ids of processed notifications are kept. */
  keep: number;
  onError: ((error: unknown) => unknown) | undefined;
}

/** Handlers for Node and for standard requests; of one context, those of one name share what has been processed. */
export function createHandlers({ parse, maxBodySize, store, keep, onError = print }: HandlerContext) {
  // Whatever it does with the error, the response is sent.
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
        // It has been answered as too late already: the repeat is to process it.
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
        // The rest of a body that is too large or too slow is not waited for.
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

/** XML begins with `<`, which no JSON does. */
export function protocolOfBody({ body }: RawRequest): Protocol {
  return body.find((octet) => octet > 0x20) === 0x3c ? 'v2' : 'v3';
}

/** What a handler is called that has been given no name. */
const UNNAMED = 'default';

/**
 * Names of handlers. Two functions under one name would take a notification that one of them has processed for processed
 * by the other: nobody is to do that unknowingly.
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
