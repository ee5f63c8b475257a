// Runs a command again when a signal ended it that did not come from here: the watchdog ends the process when a view's
// function loops, and V8 when one takes all memory. Each death brings the service nearer to the entry to blame; a
// service that dies for another reason must not do so for ever.
import { spawn } from 'node:child_process';

/** At most so many deaths within so long. Blaming one entry takes about six. */
const DEATHS_MAX = 20;
const WITHIN_MS = 15 * 60_000;

/** What tells a service to end. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
/** Terminals and npm both pass Ctrl-C on, so one press arrives more than once. What comes later is meant. */
const SAME_SIGNAL_MS = 500;

/** Settles with the exit code when the command ended by itself, was told to end, or died too often. */
export function supervise(
  command,
  args,
  { say = console.error, deathsMax = DEATHS_MAX, withinMs = WITHIN_MS } = {},
) {
  /** When it died. */
  let deaths = [];
  let firstAt = null;
  let ended = false;
  let service;

  return new Promise((resolve) => {
    const start = () => {
      // A process group of its own, so that a signal reaches the service once: from here.
      service = spawn(command, args, { stdio: 'inherit', detached: process.platform !== 'win32' });
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

    const onSignal = (signal) => {
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
    const finish = (code) => {
      for (const signal of SIGNALS) process.off(signal, onSignal);
      resolve(code);
    };
    // `npm start` runs this with `exec`: a shell between npm and us would die of a signal and leave us behind.
    for (const signal of SIGNALS) process.on(signal, onSignal);
    start();
  });
}
