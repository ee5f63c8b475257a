import { closingOf, endsValue, isWord, OPENING, OPERATOR_WORDS, STATEMENT_WORDS } from './source-tokens.js';

/** Without the first parentheses that change nothing: compilers keep or drop them as they like. */
export function withoutParentheses(tokens: readonly string[]): string[] {
  for (let open = 0; open < tokens.length; open++) {
    if (tokens[open] !== '(') continue;
    const close = closingOf(tokens, open);
    const inside = tokens.slice(open + 1, close);
    if (
      isParameter(tokens, open, close) ||
      (isGroup(tokens, open, close) && (inside.every(isPlain) || !bindsLooser(tokens, inside, open, close)))
    )
      return [...tokens.slice(0, open), ...inside, ...tokens.slice(close + 1)];
  }
  return [...tokens];
}

/** `(row) => …` */
const isParameter = (tokens: readonly string[], open: number, close: number): boolean =>
  tokens[close + 1] === '=>' && close === open + 2 && tokens[open - 1] !== 'async';

/** Parentheses around an expression, not those of a call, a statement or a parameter list. */
function isGroup(tokens: readonly string[], open: number, close: number): boolean {
  const [before, after] = [tokens[open - 1], tokens[close + 1]];
  if (close === open + 1 || after === '=>') return false;
  if (
    before !== undefined &&
    (endsValue(before) ||
      STATEMENT_WORDS.has(before) ||
      before === 'new' ||
      before === '?.' ||
      before === 'async')
  )
    return false;
  const goesOn = after !== undefined && MEMBER.has(after);
  return !(goesOn && (/^\d/.test(tokens[open + 1]!) || tokens.slice(open, close).includes('?.')));
}

const MEMBER = new Set(['.', '?.', '[', '(']);

const PRECEDENCE: Readonly<Record<string, number>> = Object.fromEntries(
  [
    '??',
    '||',
    '&&',
    '|',
    '^',
    '&',
    '== != === !==',
    '< > <= >= in instanceof',
    '<< >> >>>',
    '+ -',
    '* / %',
    '**',
  ].flatMap((words, level) => words.split(' ').map((word) => [word, level + 1])),
);
const TERNARY = 0;
const BEGINS = new Set<string | undefined>([undefined, '(', '[', ',', '=>', 'return', '?', ':', '=']);
const ENDS = new Set([')', ']', '}', ',', ';', ':']);
const UNREADABLE = new Set([
  '=>',
  ',',
  '...',
  'await',
  'yield',
  'async',
  'function',
  'class',
  'new',
  'void',
  'delete',
  '++',
  '--',
]);

/** Whether an expression in parentheses binds less than what stands beside them, or whether that cannot be told. */
function bindsLooser(
  tokens: readonly string[],
  inside: readonly string[],
  open: number,
  close: number,
): boolean {
  const least = leastPrecedence(inside);
  if (least === null || inside[0] === '{') return true;
  const [before, after] = [tokens[open - 1], tokens[close + 1]];
  const isBinary = before !== undefined && before in PRECEDENCE && endsValue(tokens[open - 2]);
  if (isBinary ? least <= PRECEDENCE[before]! : !BEGINS.has(before)) return true;
  if (after === undefined || ENDS.has(after)) return false;
  if (after === '?') return least === TERNARY;
  return after === '**' || !(after in PRECEDENCE) || least < PRECEDENCE[after]!;
}

/** The precedence of the operator that is applied last; null where the tokens are more than operators and operands. */
function leastPrecedence(tokens: readonly string[]): number | null {
  let least = Infinity;
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at]!;
    if (UNREADABLE.has(token) || /^[^=!<>]?=$|^(?:\*\*|<<|>>>?|&&|\|\||\?\?)=$/.test(token)) return null;
    if (token === '?') least = TERNARY;
    else if (token in PRECEDENCE && endsValue(tokens[at - 1])) least = Math.min(least, PRECEDENCE[token]!);
    if (OPENING.has(token)) at = closingOf(tokens, at);
  }
  return least;
}

const isPlain = (token: string): boolean =>
  token === '.' ||
  token === '?.' ||
  /^["`\d]/.test(token) ||
  (isWord(token) && !OPERATOR_WORDS.has(token) && !STATEMENT_WORDS.has(token));
