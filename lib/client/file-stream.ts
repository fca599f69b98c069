/** A file as it comes in. */
export interface IncomingFile {
  /** What has been read of it so far. */
  begun: Uint8Array[];
  rest: AsyncIterator<Uint8Array>;
}

/** Ends the connection of a file that nobody can read any more: its stream has been garbage-collected. */
const abandoned = new FinalizationRegistry<AbortController>((controller) => controller.abort());

/**
 * The stream of a file. Nothing is read ahead of the caller; the connection ends with the stream, whether that is
 * cancelled, before its first read too, or let go of without a word.
 *
 * Nothing that outlives the stream may refer to it: this is a function of its own, so that no closure elsewhere does.
 * @param controller ends the connection
 * @param explain makes an error of ours of one of the connection
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
