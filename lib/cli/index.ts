#!/usr/bin/env node
import { once } from 'node:events';
import { main } from './main';

// The reader has read enough, like "head".
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

/** Ctrl-C, the end of a container, or a closed terminal. */
const ENDS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

const { stdin, stdout, stderr, env } = process;
const interrupted = () => Promise.race(ENDS.map((signal) => once(process, signal)));

void main(process.argv.slice(2), { stdin, stdout, stderr, env, interrupted }).then((code) => {
  process.exitCode = code;
});
