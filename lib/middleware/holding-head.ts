import type { Dispatcher } from 'undici';
import type { ReceivedHeaders } from '../crypto/platform-signature';

/** Verifies the head of a file; rejects where it cannot be trusted. */
export type VerifyHead = (headers: ReceivedHeaders) => Promise<void>;

/** Holds the head of an answer of status 200–299 back until it is verified; the body streams through behind it. */
export function holdingHead(handler: Dispatcher.DispatchHandler, verify: VerifyHead): Dispatcher.DispatchHandler {
  let failed = false;
  return {
    onRequestStart: (controller, context) => handler.onRequestStart?.(controller, context),
    onRequestUpgrade: (...upgrade) => handler.onRequestUpgrade?.(...upgrade),
    onResponseStart(controller, status, headers, message) {
      const start = () => handler.onResponseStart?.(controller, status, headers, message);
      if (status < 200 || status > 299) return void start();
      controller.pause();
      verify(headers)
        .then(() => {
          if (failed) return;
          start();
          controller.resume();
        })
        .catch((error: Error) => controller.abort(error));
    },
    onResponseData: (controller, chunk) => handler.onResponseData?.(controller, chunk),
    onResponseEnd: (controller, trailers) => handler.onResponseEnd?.(controller, trailers),
    onResponseError(controller, error) {
      failed = true;
      handler.onResponseError?.(controller, error);
    },
  };
}
