/** A file as it comes in. */
export interface IncomingFile {
  /** What has been read of it so far. */
  begun: Uint8Array[];
  rest: AsyncIterator<Uint8Array>;
}

/** Ends the request of a file whose stream has been garbage-collected: nobody can read it any more. */
const abandoned = new FinalizationRegistry<AbortController>((controller) => controller.abort());

/**
 * The stream of a file. Nothing is read ahead of the caller. Cancelling the stream ends the request, even before the
 * first read, and so does garbage collection.
 *
 * Nothing that outlives the stream may refer to it. That is why this is a function of its own: closures of one function
 * share what they capture.
 * @param controller ends the request
 * @param explain turns an error of the connection into one of ours
 */
export function fileStream(
  { begun, rest }: IncomingFile,
  controller: AbortController,
  explain: (error: unknown) => unknown,
): ReadableStream<Uint8Array> {
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(sink) {
        const first = begun.shift();
        if (first) return sink.enqueue(first);
        const { done, value } = await rest.next().catch((error: unknown) => {
          throw explain(error);
        });
        return done ? sink.close() : sink.enqueue(value);
      },
      cancel() {
        controller.abort();
      },
    },
    { highWaterMark: 0 },
  );
  abandoned.register(stream, controller);
  return stream;
}
