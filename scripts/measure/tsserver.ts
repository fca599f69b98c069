import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { typescript } from './project';

interface Answer {
  request_seq?: number;
  success: boolean;
  message?: string;
  body?: unknown;
}

/** A running tsserver: requests by name, answers in the order they were asked for. */
export function startServer(cwd: string) {
  const server = spawn(process.execPath, [typescript('tsserver'), '--disableAutomaticTypingAcquisition'], { cwd });
  const waiting = new Map<number, { resolve(body: unknown): void; reject(error: Error): void }>();
  let sequence = 0;
  // Between the lines of JSON stand lines with their length, and empty ones.
  createInterface({ input: server.stdout }).on('line', (line) => {
    if (!line.startsWith('{')) return;
    const { request_seq, success, message, body } = JSON.parse(line) as Answer;
    const one = waiting.get(request_seq ?? -1);
    if (success) one?.resolve(body);
    else one?.reject(new Error(message));
  });
  const send = (command: string, args: object) => {
    sequence += 1;
    server.stdin.write(`${JSON.stringify({ seq: sequence, type: 'request', command, arguments: args })}\n`);
    return sequence;
  };
  return {
    /** Sends what has no answer. */
    tell: (command: string, args: object) => void send(command, args),
    ask: (command: string, args: object) =>
      new Promise<unknown>((resolve, reject) => waiting.set(send(command, args), { resolve, reject })),
    stop: () => server.kill(),
  };
}
