import { type Dispatcher, errors } from 'undici';
import { IDLE, type Interceptor, type SignedDispatchOptions } from './dispatch-options';

/** An interceptor that gives up a request which finds no connection in its `connectTimeout`. */
export const connectTimeout: Interceptor = (dispatch) => (options: SignedDispatchOptions, handler) => {
  const { connectTimeout: timeout } = options;
  return dispatch(options, timeout === undefined ? handler : connecting(handler, timeout));
};

function connecting(handler: Dispatcher.DispatchHandler, timeout: number): Dispatcher.DispatchHandler {
  let late: Error | undefined;
  const timer = setTimeout(() => {
    late = new errors.ConnectTimeoutError(`No connection within ${timeout} ms`);
    handler.onResponseError?.(IDLE, late);
  }, timeout);
  return {
    onRequestStart(controller, context) {
      clearTimeout(timer);
      if (late) controller.abort(late);
      else handler.onRequestStart?.(controller, context);
    },
    onRequestUpgrade: (...upgrade) => handler.onRequestUpgrade?.(...upgrade),
    onResponseStart: (...start) => handler.onResponseStart?.(...start),
    onResponseData: (controller, chunk) => handler.onResponseData?.(controller, chunk),
    onResponseEnd: (controller, trailers) => handler.onResponseEnd?.(controller, trailers),
    onResponseError(controller, error) {
      clearTimeout(timer);
      if (!late) handler.onResponseError?.(controller, error);
    },
  };
}
