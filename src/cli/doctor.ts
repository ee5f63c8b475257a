import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { readOwnership } from '../embedded-redis/ownership-record.js';
import { messageOf, StillwaterError } from '../errors/stillwater-error.js';
import { readRedisFacts, type RedisFacts } from '../redis/facts.js';
import { shownAddress } from '../redis/redis-address.js';
import { visit } from '../redis/visit.js';
import { readSettings, type Settings } from '../settings.js';
import { aclRule } from './acl-rule.js';
import { loadDeclarations, viewsDirectory } from './load-views.js';
import type { Output } from './output.js';
import { type Finding, judge, judgeReplica, type ScriptTrial, together } from './promises.js';

/** A script that touches nothing. */
const TRIAL = '#!lua\nreturn 1';

/** Says which promises hold on a Redis. Writes nothing to it. Exits with 1 where one that is required does not hold. */
export async function doctor(output: Output): Promise<number> {
  const settings = readSettings(process.env);
  const url = redisUrl(settings);
  const examined = await examine(url, settings.prefix);
  const findings = together(
    examined.map(({ name, isReplica, facts, scripts }) => ({
      server: name,
      findings: isReplica ? judgeReplica(facts) : judge(facts, scripts),
    })),
  );
  const shown = shownAddress(url);
  const [first] = examined;
  output.result(
    {
      redis: shown,
      findings,
      facts: first!.facts,
      ...(examined.length > 1 && {
        servers: examined.map(({ name, isReplica, facts }) => ({ name, isReplica, facts })),
      }),
    },
    `${shown}\n\n${findings.map(findingText).join('\n\n')}\n\n${verdictText(findings)}`,
  );
  return findings.some(({ required, verdict }) => required && verdict === 'does not hold') ? 1 : 0;
}

interface Examined {
  name: string;
  isReplica: boolean;
  facts: RedisFacts;
  scripts: ScriptTrial;
}

/** Reads each server of the Redis; of a cluster the replicas too, each of which may be a master tomorrow. */
async function examine(url: string, prefix: string): Promise<Examined[]> {
  let connected = false;
  try {
    return await visit(url, async (servers) => {
      for (const { redis } of servers)
        await redis.ping().catch((thrown: unknown) => {
          // A refused PING is an answer all the same.
          if (!/NOPERM/.test(messageOf(thrown))) throw thrown;
        });
      connected = true;
      return Promise.all(
        servers.map(async ({ name, redis, isReplica }) => ({
          name,
          isReplica,
          facts: await readRedisFacts(redis, prefix),
          scripts: isReplica ? { ran: true as const } : await tryScript(redis),
        })),
      );
    });
  } catch (thrown) {
    if (connected) throw thrown;
    throw new StillwaterError(
      'redis-unreachable',
      {
        what: 'The Redis does not answer.',
        evidence: `  asked  ${shownAddress(url)}\n  said   ${messageOf(thrown)}`,
        consequence: 'Nothing was read.',
        remedy: 'Start it, or correct REDIS_URL.',
      },
      { cause: thrown },
    );
  }
}

/** Prints the ACL rule for the prefix of the settings and the streams of the view modules; says so where they cannot be loaded. */
export async function printAcl(output: Output): Promise<void> {
  const { prefix, viewsDirectory: named, limits } = readSettings(process.env);
  const loading = loadDeclarations(viewsDirectory(named ?? undefined), { limits: limits.modules });
  const declarations = await loading.catch((thrown: unknown) => {
    output.note(
      `The rule names no streams of view modules, for they could not be loaded.\n${messageOf(thrown)}`,
    );
    return [];
  });
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

async function tryScript(redis: Redis): Promise<ScriptTrial> {
  try {
    await redis.eval(TRIAL, 0);
    await redis.evalsha(createHash('sha1').update(TRIAL).digest('hex'), 0);
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
    because.replace(/^/gm, indent),
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
