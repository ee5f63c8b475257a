import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '../..');

/** A fenced block of a page. */
export interface Block {
  readonly language: string;
  /** The line of the page on which its first line stands, from 0. */
  readonly line: number;
  readonly lines: readonly string[];
}

/** A page of the documentation. */
export interface Page {
  /** `README.md`, `docs/concepts.md`. */
  readonly name: string;
  readonly text: string;
  readonly blocks: readonly Block[];
}

/** A page's code as a module: in the lines in which it stands in the page, so that the compiler's errors name them. */
export interface PageModule {
  readonly page: string;
  /** Where it would lie. */
  readonly file: string;
  readonly text: string;
}

/** The README and everything in `docs/` and its folders. */
export function pages(): Page[] {
  const docs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.md'),
  );
  return ['README.md', 'CONTRIBUTING.md', ...docs.sort().map((name) => `docs/${name}`)]
    .filter((name) => existsSync(join(root, name)))
    .map(readPage);
}

export function readPage(name: string): Page {
  const text = readFileSync(join(root, name), 'utf8');
  const blocks: Block[] = [];
  let open: { language: string; line: number; lines: string[] } | null = null;
  text.split('\n').forEach((line, number) => {
    const fence = /^```(\S*)/.exec(line);
    if (open === null) {
      if (fence) open = { language: fence[1]!, line: number + 1, lines: [] };
    } else if (fence) {
      blocks.push(open);
      open = null;
    } else open.lines.push(line);
  });
  if (open !== null) throw new Error(`${name} has a block that does not end.`);
  return { name, text, blocks };
}

const FILE_NAME = /^\/\/ (\S+\.ts)$/;

/** The file that a block names in its first line; null for one that goes on with the page. */
export const fileNameOf = (block: Block): string | null => FILE_NAME.exec(block.lines[0] ?? '')?.[1] ?? null;

/**
 * The TypeScript of a page. Its blocks are one module, in their order; a block whose first line is the name of a file
 * (`// views/orders.ts`) is a module of its own. Those that exist in the repository are not among them: they are compared.
 */
export function modulesOf(page: Page): PageModule[] {
  const place = join(root, 'docs', `.${page.name.replace(/^docs\/|\.md$/g, '').replaceAll('/', '-')}`);
  const files = new Map<string, string[]>();
  for (const block of page.blocks) {
    if (block.language !== 'ts') continue;
    const named = fileNameOf(block);
    if (named !== null && isInRepository(named)) continue;
    const file = join(place, named ?? 'page.ts');
    const lines = files.get(file) ?? [];
    while (lines.length < block.line) lines.push('');
    lines.push(...block.lines);
    files.set(file, lines);
  }
  return [...files].map(([file, lines]) => ({ page: page.name, file, text: `${lines.join('\n')}\n` }));
}

/** Files that a page shows as they are in the repository, with what it shows of them. */
export function shownFiles(page: Page): { file: string; shown: string; text: string }[] {
  return page.blocks.flatMap((block) => {
    const file = block.language === 'ts' ? fileNameOf(block) : null;
    if (file === null || !isInRepository(file)) return [];
    return [
      {
        file,
        shown: `${block.lines.slice(1).join('\n').trim()}\n`,
        text: readFileSync(join(root, file), 'utf8'),
      },
    ];
  });
}

const isInRepository = (file: string): boolean => file.startsWith('views/') && existsSync(join(root, file));
