import { parentPort } from 'node:worker_threads';
import { play, type Run } from './run.js';

/** A thread that plays the runs it is told. */
parentPort!.on('message', (run: Run) => void play(run).then((outcome) => parentPort!.postMessage(outcome)));
