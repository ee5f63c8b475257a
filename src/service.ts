import 'reflect-metadata';
import { createServer } from 'node:net';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { type LoadedView, loadViews, servedViews } from './cli/load-views.js';
import { watchViews } from './cli/watch-views.js';
import { demoLines, readFlightsWanted, startDemo } from './demo/load-demo.js';
import { bringUpRedis, type RedisAtHand } from './embedded-redis/bring-up-redis.js';
import { messageOf, StillwaterError } from './errors/stillwater-error.js';
import { BullRebuilds } from './jobs/bull-rebuilds.js';
import { edited } from './runtime/deployment.js';
import { SourceLog } from './runtime/ports/source-log.js';
import { Runtime } from './runtime/runtime.js';
import { ServiceLogger } from './service-logger.js';
import { mountDocs } from './serving/open-api/mount-docs.js';
import { servingAdapter } from './serving/serving-adapter.js';
import { readSettings, type Settings } from './settings.js';
import { StillwaterModule } from './stillwater.module.js';

export interface ServiceOptions {
  /** Reload view modules when they are saved. */
  dev: boolean;
  /** Load the example's data. */
  demo: boolean;
  /** How many flights the example loads: a number or `all`. */
  flights?: string;
}

/** How long the process may still take to end by itself when everything has been handed over. */
const END_MS_MAX = 1_000;

const say = (line: string): void => void process.stderr.write(`${line}\n`);

/**
 * Runs the service until it is told to stop, and then hands over.
 * @throws StillwaterError whatever kept it from starting; what had been started, our Redis included, is stopped by then
 */
export async function startService({ dev, demo, flights }: ServiceOptions): Promise<void> {
  // A view function that asks for local time gets the same answer on every machine.
  process.env.TZ = 'UTC';
  const settings = readSettings(process.env);
  const flightsWanted = flights === undefined ? undefined : readFlightsWanted(flights);
  const { directory, isExample } = servedViews(settings.viewsDirectory, { dev });
  const views = await loadViews(directory, { fresh: dev, limits: settings.limits.modules });
  if (!views.some(({ declaration }) => declaration.kind === 'view'))
    say(
      `There are no views in ${directory}: none of its modules exports one. ${dev ? 'They are served when one is saved.' : 'STILLWATER_VIEWS names another directory.'}`,
    );

  // From here on a signal ends what is under way in order: a Redis that has been started is not left behind.
  const stopping = new AbortController();
  const stopped = new Promise<void>((resolve) => stopping.signal.addEventListener('abort', () => resolve()));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopping.abort());

  await expectFree(settings);
  const redis = await bringUpRedis(settings, { say });
  let app: NestFastifyApplication | null = null;
  try {
    say(`Redis     ${redis.description}`);
    // Whoever edits means what is there now, also where it is what there was before.
    const release = dev ? edited(Date.now()) : settings.release;
    app = await createApplication(views, { ...settings, release }, redis);
    if (!stopping.signal.aborted) {
      const url = await listen(app, settings);
      say(`Serving   ${url}   (API: ${url}/docs)`);
      if (dev) watchAndRedeploy(app, { directory, limits: settings.limits.modules, signal: stopping.signal });
      if (isExample && demo && settings.role !== 'api')
        await startDemo({
          log: app.get(SourceLog),
          prefix: settings.prefix,
          signal: stopping.signal,
          ...(flightsWanted && { flights: flightsWanted }),
        });
      if (isExample && !stopping.signal.aborted)
        say(['', 'Try:', ...demoLines(url).map((line) => `  ${line}`), ''].join('\n'));
    }
    await stopped;
    say('Handing over …');
  } finally {
    stopping.abort();
    await app?.close();
    await redis.stop();
    // Nothing is left to do; nothing that was forgotten may keep the process.
    setTimeout(() => process.exit(), END_MS_MAX).unref();
  }
  say('Stopped.');
}

function createApplication(
  views: readonly LoadedView[],
  { prefix, role, token, release, archive, replicas, limits }: Settings,
  redis: RedisAtHand,
): Promise<NestFastifyApplication> {
  return NestFactory.create<NestFastifyApplication>(
    StillwaterModule.forRoot({
      connection: redis.url,
      views,
      prefix,
      role,
      ...(release && { release }),
      ...(archive && { archive }),
      replicas,
      limits: limits.runtime,
      jobs: limits.jobs,
      http: { token, standalone: true, limits: limits.http },
    }),
    servingAdapter(limits.http),
    { logger: new ServiceLogger(), abortOnError: false },
  );
}

/** Before anything is touched: who cannot serve must not lead a release. */
async function expectFree({ port, host }: Settings): Promise<void> {
  const probe = createServer();
  try {
    await new Promise<void>((resolve, reject) => probe.once('error', reject).listen(port, host, resolve));
  } catch (thrown) {
    throw cannotListen(port, host, thrown);
  } finally {
    probe.close();
  }
}

/** The address it is served at. */
async function listen(app: NestFastifyApplication, { port, host }: Settings): Promise<string> {
  mountDocs(app);
  try {
    await app.listen(port, host);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).syscall !== 'listen') throw thrown;
    throw cannotListen(port, host, thrown);
  }
  return (await app.getUrl()).replace('[::1]', 'localhost');
}

const LISTEN_REMEDY: Readonly<Record<string, string>> = {
  EADDRINUSE: 'End what listens there, or set PORT to another: 0 takes a free one.',
  EACCES: 'Set PORT to another: ports below 1024 are the system’s. 0 takes a free one.',
};

const cannotListen = (port: number, host: string, cause: unknown): StillwaterError =>
  new StillwaterError(
    'cannot-listen',
    {
      what: `The service cannot listen on port ${port} of ${host}.`,
      evidence: `  said  ${messageOf(cause)}`,
      consequence: 'Nothing is served. What had been started was stopped again.',
      remedy:
        LISTEN_REMEDY[(cause as NodeJS.ErrnoException).code ?? ''] ??
        'Correct HOST: it must be an address of this machine.',
    },
    { cause },
  );

/** `dev`: what is saved is deployed. The old code stays in this process, and serves, until its generations are replaced. */
function watchAndRedeploy(
  app: NestFastifyApplication,
  {
    directory,
    limits,
    signal,
  }: { directory: string; limits: Settings['limits']['modules']; signal: AbortSignal },
): void {
  const close = watchViews({ directory, limits }, (outcome) => {
    if (outcome instanceof Error) return say(messageOf(outcome));
    void (async () => {
      const { changed, created, unchanged, superseded, release } = await app.get(Runtime).redeploy(outcome);
      if (!superseded) await app.get(BullRebuilds).startChanged(changed, release);
      say(
        `Saved: ${created.length} new, ${changed.length} changed${changed.length > 0 ? ` (${changed.join(', ')})` : ''}, ${unchanged.length} unchanged.`,
      );
    })().catch((thrown) => say(messageOf(thrown)));
  });
  signal.addEventListener('abort', close);
}
