import type { Dispatcher } from 'undici';
import type { Answer } from '../middleware/verifying-handler';
import { AnswerHandler } from './answer';
import { deadline } from './deadline';
import { refuseAnswer } from './failure';
import type { WireRequest } from './request';
import { ApiResponse, type Decoder, HeldResponse, readHeaders } from './response';

/**
 * Sends a request within its time, and makes a response of its answer once that is verified.
 * @param what method and path, for errors
 * @param decode decrypts what of the answer's JSON is encrypted
 */
export function send(
  dispatcher: Dispatcher,
  request: WireRequest,
  what: string,
  decode: Decoder | undefined,
): Promise<ApiResponse> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => {
      limit.clear();
      reject(error);
    };
    const handler = new AnswerHandler((answer) => {
      limit.clear();
      try {
        resolve(respond(answer, request, what, decode));
      } catch (error) {
        reject(error);
      }
    }, fail);
    const limit = deadline(request, what, (reason) => handler.abort(reason));
    try {
      dispatcher.dispatch(wireOptions(request), handler);
    } catch (error) {
      fail(error);
    }
  });
}

/** The interceptors take a Media as body as well, and options of their own; undici lets alone what it does not know. */
export function wireOptions(request: WireRequest): Dispatcher.RequestOptions {
  return request as unknown as Dispatcher.RequestOptions;
}

function respond(answer: Answer, { protocol }: WireRequest, what: string, decode: Decoder | undefined): ApiResponse {
  if (answer.status >= 300) throw refuseAnswer(answer, protocol, what);
  const { status, headers, body } = answer;
  if (body.length > 0) return new HeldResponse(body, answer, decode);
  return new ApiResponse(null, { status, headers: readHeaders(headers) }, decode);
}
