// `npm run layers`: does an import cross a wall? Prints a line for each that does: "src/zset/row-key.ts imports circuit".
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cruise } from 'dependency-cruiser';
import extractTSConfig from 'dependency-cruiser/config-utl/extract-ts-config';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { forbidden, options } = createRequire(import.meta.url)(join(root, '.dependency-cruiser.cjs'));

// Another tree can be named, to try the rules on.
const baseDir = process.argv[2] ?? root;
const { output } = await cruise(
  ['src', 'views'],
  { ...options, baseDir, ruleSet: { forbidden }, validate: true },
  undefined,
  { tsConfig: extractTSConfig(join(root, options.tsConfig.fileName)) },
);

const lines = new Set(
  output.summary.violations.map(({ from, to, rule, cycle }) => {
    if (rule.name === 'cycle')
      return `${from} imports itself, through ${cycle.map(({ name }) => name).join(', ')}`;
    return `${from} imports ${nameOf(to)}`;
  }),
);
for (const line of [...lines].sort()) console.error(line);
console.log(`${output.summary.totalCruised} modules, ${lines.size} imports across a wall`);
process.exitCode = lines.size === 0 ? 0 : 1;

/** The folder of src a file lies in, or the package. */
function nameOf(path) {
  const layer = /^src\/([^/]+?)(\.ts|\/)/.exec(path)?.[1];
  if (layer) return layer;
  return /(?:.*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? path;
}
