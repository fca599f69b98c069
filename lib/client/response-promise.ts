import type { ApiResponse, ResponsePromise as ResponsePromiseOf } from '../openapi/response';

/** A promise of a response, with shortcuts to its body. */
export class ResponsePromise extends Promise<ApiResponse> implements ResponsePromiseOf {
  /** `then`, `catch` and `finally` return plain promises. */
  static override get [Symbol.species]() {
    return Promise;
  }

  json<J>(): Promise<J> {
    return this.then((response) => response.json<J>());
  }

  xml<X>(): Promise<X> {
    return this.then((response) => response.xml<X>());
  }

  text(): Promise<string> {
    return this.then((response) => response.text());
  }

  async bytes(): Promise<Uint8Array> {
    return new Uint8Array(await this.arrayBuffer());
  }

  arrayBuffer(): Promise<ArrayBuffer> {
    return this.then((response) => response.arrayBuffer());
  }

  blob(): Promise<Blob> {
    return this.then((response) => response.blob());
  }
}
