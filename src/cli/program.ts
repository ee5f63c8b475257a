import { Command, CommanderError } from 'commander';
import { Output } from './output.js';

/** Why a command line ends: done, not as wished, or not understood. */
const DONE = 0;
const FAILED = 1;
const MISUSED = 2;

/** What a command answers: the exit code. Nothing means that it is done. */
type Action = (output: Output, args: string[], options: Record<string, any>) => Promise<number | void>;

/**
 * Runs one command line and gives its exit code. Whatever a command needs is imported when it runs, so that `--help` and
 * mistyped commands answer at once.
 */
export async function run(argv: readonly string[]): Promise<number> {
  let code = DONE;
  try {
    const program = await build(argv, (ended) => void (code = ended));
    await program.parseAsync([...argv], { from: 'user' });
    return code;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? DONE : MISUSED;
    new Output(argv.includes('--json')).error(thrown);
    return FAILED;
  }
}

async function build(argv: readonly string[], ended: (code: number) => void): Promise<Command> {
  const program = new Command('stillwater')
    .description('Materialized views over Redis Streams.')
    .exitOverride()
    .showHelpAfterError('(`stillwater --help` lists the commands)')
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', ADDRESS_HELP);

  const command = (usage: string, description: string, action: Action): Command => {
    const made = program
      .command(usage)
      .description(description)
      .option('--json', 'print JSON, and nothing else, to stdout');
    return made.action(async () => {
      const options = made.opts();
      ended(
        (await action(new Output(Boolean(options.json)), made.processedArgs as string[], options)) ?? DONE,
      );
    });
  };

  /** Under somebody who starts it again when the watchdog, or V8, has ended it. */
  const service =
    (dev: boolean): Action =>
    async (_, __, { demo, flights }) => {
      const { SUPERVISED, superviseService } = await import('./supervise.js');
      if (process.env[SUPERVISED] !== '1') return superviseService(argv);
      const { startService } = await import('../service.js');
      return startService({ dev, demo, ...(flights !== undefined && { flights }) });
    };
  const start = command('start', 'run the service', service(false));
  const dev = command('dev', 'run the service, and deploy view modules when they are saved', service(true));
  for (const made of [start, dev])
    made
      .option('--no-demo', 'do not load the example’s data')
      .option('--flights <number>', 'how many flights the example loads, or all');
  if (argv.includes('--help') || argv.includes('-h')) {
    const { settingsHelp } = await import('../settings.js');
    for (const made of [start, dev])
      made.addHelpText('after', `\nSettings, from the environment:\n${settingsHelp()}`);
  }

  command(
    'check [directory]',
    'load the view modules of a directory and say what is wrong with them, without Redis',
    async (output, [directory]) => (await import('./check.js')).check(output, directory),
  );
  command(
    'doctor',
    'say which promises hold on the Redis at REDIS_URL, or on the one of the data directory',
    async (output, _, options) => {
      const { doctor, printAcl } = await import('./doctor.js');
      return options.acl ? printAcl(output) : doctor(output);
    },
  ).option('--acl', 'print the ACL rule of a Redis user with the rights that are needed');

  command('views', 'list the views and how they are doing', async (output) =>
    (await import('./views.js')).listViews(output),
  );
  command(
    'explain <view>',
    'print the circuit of a view, with the cost and growth of each operator',
    async (output, [view]) => (await import('./views.js')).explain(output, view!),
  );
  command(
    'drop <view>',
    'drop a view that is declared no longer, with all it holds',
    async (output, [view]) => (await import('./views.js')).drop(output, view!),
  );
  command(
    'append <stream> <file>',
    'append events, one JSON object a line, from a file or from - (stdin)',
    async (output, [stream, file], options) =>
      (await import('./append.js')).append(output, stream!, file!, { again: Boolean(options.again) }),
  ).option('--again', 'append also what this file was appended from before');

  command(
    'rebuild <view>',
    'replay a view, and what reads it, into a new generation',
    async (output, [view], options) =>
      (await import('./rebuild.js')).rebuild(output, view!, {
        acceptTrimmed: Boolean(options.acceptTrimmed),
        wait: Boolean(options.wait),
      }),
  )
    .option('--accept-trimmed', 'rebuild from what is left where the beginning of a stream is gone')
    .option('--wait', 'show progress until it is done');
  command('rebuilds [rebuild]', 'list rebuilds, or show one', async (output, [id]) =>
    (await import('./rebuild.js')).showRebuilds(output, id),
  );
  for (const [step, what] of [
    ['pause', 'pause a rebuild'],
    ['resume', 'let a paused rebuild go on'],
    ['promote', 'let a rebuild serve that has caught up: where the view says promote: manual, or it is held'],
  ] as const)
    command(`${step} <rebuild>`, what, async (output, [id]) =>
      (await import('./rebuild.js')).control(output, id!, step),
    );
  command(
    'cancel <job>',
    'cancel a rebuild or a verification and drop what it has built',
    async (output, [id]) => (await import('./rebuild.js')).cancel(output, id!),
  );
  command('rollback <view>', 'put the kept generation of a view back in place', async (output, [view]) =>
    (await import('./rebuild.js')).rollback(output, view!),
  );
  command(
    'verify <view>',
    'prove that a replay equals the live view; exits with 1 where it does not',
    async (output, [view]) => (await import('./verify.js')).verify(output, view!),
  );

  if (argv.length === 0) program.action(() => program.help());
  return program;
}

const ADDRESS_HELP = `
All but start, dev, check and doctor speak to a running service:
  STILLWATER_URL    where it is. Default: http://127.0.0.1:$PORT
  STILLWATER_TOKEN  what it asks for writes and administration`;
