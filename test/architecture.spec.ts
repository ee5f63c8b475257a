import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** What `npm run layers` says of a tree: a line for each import across a wall. */
function walls(tree?: string): { lines: string[]; status: number | null } {
  const { stderr, status } = spawnSync(process.execPath, ['scripts/layers.mjs', ...(tree ? [tree] : [])], {
    encoding: 'utf8',
  });
  return { lines: stderr.trim().split('\n').filter(Boolean), status };
}

describe('the walls between layers', () => {
  it('are crossed by no import of this tree', () => {
    expect(walls()).toEqual({ lines: [], status: 0 });
  });

  it('are seen when they are crossed, and it is said by whom', () => {
    const tree = mkdtempSync(join(tmpdir(), 'stillwater-walls-'));
    const files = {
      'src/zset/row-key.ts': `import '../circuit/operator.js';`,
      'src/circuit/operator.ts': `import type { Redis } from 'ioredis'; import '../zset/value.js'; export type R = Redis;`,
      'src/zset/value.ts': `import 'node:fs';`,
      'src/view/plan.ts': `import { z } from 'zod'; import '../circuit/operator.js'; import '../runtime/task.js'; export const a = z;`,
      'src/runtime/task.ts': `import '../redis/keyspace.js'; import './ports/store.js'; import 'node:events';`,
      'src/runtime/ports/store.ts': `export const store = 1;`,
      'src/redis/keyspace.ts': `import '../runtime/ports/store.js'; import 'ioredis';`,
      'src/redis/wrong.ts': `import '../runtime/task.js';`,
      'src/serving/rows.ts': `import '../redis/keyspace.js'; import '../runtime/ports/store.js'; import '../jobs/queue.js';`,
      'src/jobs/queue.ts': `export const queue = 1;`,
      'src/index.ts': `export * from './view/plan.js';`,
      'src/cli/main.ts': `import '../index.js';`,
      'src/runtime/worker.ts': `import '../index.js';`,
      'views/flights.ts': `import '../src/index.js'; import '../src/view/plan.js';`,
      'src/view/left.ts': `import './right.js'; export const left = 1;`,
      'src/view/right.ts': `import './left.js'; export const right = 1;`,
    };
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(tree, path)), { recursive: true });
      writeFileSync(join(tree, path), text);
    }
    try {
      const { lines, status } = walls(tree);
      expect(status).toBe(1);
      expect(lines.filter((line) => !line.includes('imports itself'))).toEqual([
        'src/circuit/operator.ts imports ioredis',
        'src/redis/wrong.ts imports runtime',
        'src/runtime/task.ts imports redis',
        'src/runtime/worker.ts imports index',
        'src/serving/rows.ts imports jobs',
        'src/serving/rows.ts imports redis',
        'src/view/plan.ts imports runtime',
        'src/zset/row-key.ts imports circuit',
        expect.stringMatching(/^src\/zset\/value.ts imports (node:)?fs$/) as string,
        'views/flights.ts imports view',
      ]);
      expect(lines).toContainEqual(expect.stringContaining('src/view/left.ts imports itself, through'));
    } finally {
      rmSync(tree, { recursive: true, force: true });
    }
  });
});

describe('what the circuit and what is below it hold', () => {
  // The words are looked for in code, not in comments: a file may say that it reads no clock.
  const forbidden = [
    /\basync\b/,
    /\bawait\b/,
    /\bsetTimeout\b/,
    /\bsetInterval\b/,
    /\bDate\.now\b/,
    /\bnew Date\(\)/,
    /\bMath\.random\b/,
  ];
  // Makes these very things throw while a circuit steps, and so must name them.
  const guards = ['src/circuit/pure.ts'];

  it('reads no clock, rolls no dice and waits for nothing', () => {
    const found: string[] = [];
    for (const layer of ['src/zset', 'src/circuit'])
      for (const name of readdirSync(layer, { recursive: true, encoding: 'utf8' })) {
        const path = join(layer, name);
        if (!path.endsWith('.ts') || guards.includes(path)) continue;
        const code = readFileSync(path, 'utf8').replaceAll(/\/\*[^]*?\*\/|\/\/.*$/gm, '');
        for (const word of forbidden) if (word.test(code)) found.push(`${path} holds ${word.source}`);
      }
    expect(found).toEqual([]);
  });
});
