import { Redis } from 'ioredis';
import { readOwnership } from '../embedded-redis/ownership-record.js';
import { messageOf, StillwaterError } from '../errors/stillwater-error.js';
import { readRedisFacts } from '../redis/facts.js';
import { readSettings, type Settings } from '../settings.js';
import { aclRule } from './acl-rule.js';
import { loadDeclarations, viewsDirectory } from './load-views.js';
import type { Output } from './output.js';
import { type Finding, judge, type ScriptTrial } from './promises.js';

const ANSWER_MS_MAX = 5_000;
/** A script that touches nothing. */
const TRIAL = '#!lua\nreturn 1';

/** Says which promises hold on a Redis. Writes nothing to it. Exits with 1 where one that is required does not hold. */
export async function doctor(output: Output): Promise<number> {
  const settings = readSettings(process.env);
  const url = redisUrl(settings);
  const redis = await connect(url);
  try {
    const facts = await readRedisFacts(redis);
    const findings = judge(facts, await tryScript(redis));
    const shown = withoutPassword(url);
    output.result(
      { redis: shown, findings, facts },
      `${shown}\n\n${findings.map(findingText).join('\n\n')}\n\n${verdictText(findings)}`,
    );
    return findings.some(({ required, verdict }) => required && verdict === 'does not hold') ? 1 : 0;
  } finally {
    redis.disconnect();
  }
}

/** Prints the ACL rule for the prefix of the settings and the streams of the view modules, where they can be loaded. */
export async function printAcl(output: Output): Promise<void> {
  const { prefix, viewsDirectory: named } = readSettings(process.env);
  const declarations = await loadDeclarations(viewsDirectory(named ?? undefined)).catch(() => []);
  const rule = aclRule(
    prefix,
    declarations.flatMap((declaration) => (declaration.kind === 'view' ? [] : [declaration])),
  );
  output.result({ rule }, rule);
}

function redisUrl({ redisUrl: named, dataDirectory }: Settings): string {
  if (named !== null) return named;
  const record = readOwnership(dataDirectory);
  if (record !== null) return `redis://127.0.0.1:${record.port}`;
  throw new StillwaterError('no-redis', {
    what: 'There is no Redis to look at.',
    evidence: `  REDIS_URL        not set\n  STILLWATER_DATA  ${dataDirectory}: no Redis of our own was started there`,
    consequence: 'Nothing was read.',
    remedy: 'Set REDIS_URL, or start the service first: `stillwater start` runs a Redis of its own.',
  });
}

async function connect(url: string): Promise<Redis> {
  const redis = new Redis(url, {
    lazyConnect: true,
    // A user without INFO is to be told so, not to be turned away.
    enableReadyCheck: false,
    retryStrategy: () => null,
    connectTimeout: ANSWER_MS_MAX,
    commandTimeout: ANSWER_MS_MAX,
    maxRetriesPerRequest: 0,
  });
  let cause: Error | null = null;
  redis.on('error', (error: Error) => (cause ??= error));
  try {
    await redis.connect();
    await redis.ping().catch((thrown: unknown) => {
      // A refused PING is an answer all the same.
      if (!/NOPERM/.test(messageOf(thrown))) throw thrown;
    });
    return redis;
  } catch (thrown) {
    redis.disconnect();
    throw new StillwaterError(
      'redis-unreachable',
      {
        what: 'The Redis does not answer.',
        evidence: `  asked  ${withoutPassword(url)}\n  said   ${messageOf(cause ?? thrown)}`,
        consequence: 'Nothing was read.',
        remedy: 'Start it, or correct REDIS_URL.',
      },
      { cause: thrown },
    );
  }
}

async function tryScript(redis: Redis): Promise<ScriptTrial> {
  try {
    const hash = (await redis.script('LOAD', TRIAL)) as string;
    await redis.evalsha(hash, 0);
    return { ran: true };
  } catch (thrown) {
    return { ran: false, reason: messageOf(thrown) };
  }
}

const MARK: Record<Finding['verdict'], string> = {
  holds: 'holds',
  'does not hold': 'DOES NOT HOLD',
  unknown: 'unknown',
};
const WIDTH = Math.max(...Object.values(MARK).map((mark) => mark.length));

function findingText({ promise, verdict, because, remedy }: Finding): string {
  const indent = ' '.repeat(WIDTH + 2);
  return [
    `${MARK[verdict].padEnd(WIDTH)}  ${promise}`,
    `${indent}${because}`,
    ...(remedy === null ? [] : [`${indent}→ ${remedy}`]),
  ].join('\n');
}

function verdictText(findings: readonly Finding[]): string {
  const refused = findings.filter(({ required, verdict }) => required && verdict === 'does not hold').length;
  const unsure = findings.filter(({ verdict }) => verdict === 'unknown').length;
  if (refused > 0)
    return `Stillwater cannot be relied on here: ${refused} of the promises it needs ${refused === 1 ? 'does' : 'do'} not hold.`;
  return unsure > 0
    ? `Nothing forbids Stillwater here, but ${unsure} ${unsure === 1 ? 'promise is' : 'promises are'} unknown.`
    : 'Stillwater can run here.';
}

function withoutPassword(url: string): string {
  const shown = new URL(url);
  if (shown.password) shown.password = '***';
  return shown.toString();
}
