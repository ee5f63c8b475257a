import { unsupported } from '../unsupported.js';

/** A word (in lower case unless quoted), a number, a text, or punctuation. */
export interface Token {
  readonly kind: 'word' | 'quoted' | 'number' | 'text' | 'mark' | 'end';
  readonly text: string;
}

const SPACE = /(?:\s+|--[^\n]*|\/\*[\s\S]*?\*\/)+/y;
const WORD = /[A-Za-z_][A-Za-z0-9_$]*/y;
const NUMBER = /(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y;
const QUOTED = /"((?:[^"]|"")*)"/y;
const TEXT = /'((?:[^']|'')*)'/y;
const ESCAPED = /[eE]'((?:[^'\\]|''|\\.)*)'/y;
const MARK =
  /::|<<|>>|<=>|<>|<@|!=|<=|>=|=>|\|\||->>|->|#>>|#>|@>|&&|!~\*|!~|~\*|\?\||\?&|[-+*/%<>=(),.;[\]^~:?&|#]/y;

export function tokens(sql: string): Token[] {
  const found: Token[] = [];
  let at = 0;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const hit = pattern.exec(sql);
    if (hit) at = pattern.lastIndex;
    return hit;
  };
  for (;;) {
    match(SPACE);
    if (at >= sql.length) break;
    let hit = match(ESCAPED);
    if (hit) found.push({ kind: 'text', text: unescaped(hit[1]!) });
    else if ((hit = match(WORD))) found.push({ kind: 'word', text: hit[0].toLowerCase() });
    else if ((hit = match(NUMBER))) found.push({ kind: 'number', text: hit[0] });
    else if ((hit = match(QUOTED))) found.push({ kind: 'quoted', text: hit[1]!.replaceAll('""', '"') });
    else if ((hit = match(TEXT))) found.push({ kind: 'text', text: hit[1]!.replaceAll("''", "'") });
    else if ((hit = match(MARK))) found.push({ kind: 'mark', text: hit[0] });
    else unsupported(`SQL: "${sql.slice(at, at + 10)}"`);
  }
  found.push({ kind: 'end', text: '' });
  return found;
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };
const unescaped = (text: string): string =>
  text.replace(/''|\\(.)/g, (all, letter: string | undefined) =>
    letter === undefined ? "'" : (ESCAPES[letter] ?? letter),
  );
