import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Of a service: somebody is there who starts it again, so that it need not start a supervisor of its own. */
export const SUPERVISED = 'STILLWATER_SUPERVISED';

/** At most so many deaths within so long. Blaming one entry takes about six. */
const DEATHS_MAX = 20;
const WITHIN_MS = 15 * 60_000;

/** What tells a service to end. */
const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];
/** Terminals and npm both pass Ctrl-C on, so one press arrives more than once. What comes later is meant. */
const SAME_SIGNAL_MS = 500;

const EXECUTABLE = fileURLToPath(new URL('./stillwater.js', import.meta.url));
/** Most of what a service makes lives for one batch: a young generation that holds it is not copied. */
const NODE_OPTIONS = ['--min-semi-space-size=32', '--max-semi-space-size=128', '--enable-source-maps'];

/** Runs `stillwater` with these words, supervised. */
export const superviseService = (words: readonly string[]): Promise<number> =>
  supervise(process.execPath, [...NODE_OPTIONS, ...process.execArgv, EXECUTABLE, ...words]);

/**
 * Runs a command again when a signal ended it that did not come from here: the watchdog ends the process when a view's
 * function loops, and V8 when one takes all memory. Each death brings the service nearer to the entry to blame; a
 * service that dies for another reason must not do so for ever. Settles with the exit code when the command ended by
 * itself, was told to end, or died too often.
 */
export function supervise(
  command: string,
  args: readonly string[],
  { say = console.error as (text: string) => void, deathsMax = DEATHS_MAX, withinMs = WITHIN_MS } = {},
): Promise<number> {
  /** When it died. */
  let deaths: number[] = [];
  let firstAt: number | null = null;
  let ended = false;
  let service: ChildProcess;

  return new Promise((resolve) => {
    const start = (): void => {
      // A process group of its own, so that a signal reaches the service once: from here.
      service = spawn(command, args, {
        stdio: 'inherit',
        detached: process.platform !== 'win32',
        env: { ...process.env, [SUPERVISED]: '1' },
      });
      service.on('error', (error) => {
        say(`The service could not be started: ${error.message}`);
        finish(1);
      });
      service.on('exit', (code, signal) => {
        if (signal === null || firstAt !== null || SIGNALS.includes(signal))
          return finish(code ?? (ended ? 1 : 0));
        const now = performance.now();
        deaths = [...deaths.filter((at) => now - at < withinMs), now];
        const minutes = Math.ceil(withinMs / 60_000);
        if (deaths.length > deathsMax) {
          say(
            `The service was ended by ${signal} for the ${deaths.length}th time within ${minutes} minutes, and is not started again. ` +
              'What was committed is kept. What ended it is said above, or by the system’s log where it took all memory.',
          );
          return finish(1);
        }
        say(
          `The service was ended by ${signal}, and is started again (${deaths.length} of at most ${deathsMax} times in ${minutes} minutes).`,
        );
        start();
      });
    };

    const onSignal = (signal: NodeJS.Signals): void => {
      const now = performance.now();
      if (firstAt === null) {
        firstAt = now;
        service.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal);
      } else if (now - firstAt > SAME_SIGNAL_MS && !ended) {
        ended = true;
        say('ended at once: what was committed is kept, the rest is done again by the next start');
        service.kill('SIGKILL');
      }
    };
    const finish = (code: number): void => {
      for (const signal of SIGNALS) process.off(signal, onSignal);
      resolve(code);
    };
    // `npm start` runs this with `exec`: a shell between npm and us would die of a signal and leave us behind.
    for (const signal of SIGNALS) process.on(signal, onSignal);
    start();
  });
}
