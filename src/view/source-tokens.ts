const SPACE = /\s+|\/\/[^\n\r\u2028\u2029]*|\/\*[^]*?\*\//y;
const WORD = /#?[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*/uy;
const NUMBER =
  /0[xX][\da-fA-F_]+n?|0[bB][01_]+n?|0[oO][0-7_]+n?|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d[\d_]*)?n?/y;
const STRING = /'(?:[^'\\\n]|\\[^])*'|"(?:[^"\\\n]|\\[^])*"/y;
const REGEXP = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;
const SIGN =
  />>>=|\.\.\.|===|!==|\*\*=|<<=|>>=|>>>|&&=|\|\|=|\?\?=|=>|==|!=|<=|>=|&&|\|\||\?\?|\?\.(?!\d)|\+\+|--|\+=|-=|\*=|\/=|%=|&=|\|=|\^=|<<|>>|\*\*|[^]/y;

/** After these a slash begins a regular expression, and a parenthesis is not a call's. */
export const OPERATOR_WORDS = new Set([
  'return',
  'typeof',
  'case',
  'in',
  'of',
  'delete',
  'void',
  'throw',
  'new',
  'else',
  'do',
  'instanceof',
  'await',
  'yield',
]);
export const STATEMENT_WORDS = new Set(['if', 'while', 'for', 'switch', 'catch', 'with', 'function']);

export const isWord = (token: string | undefined): token is string =>
  token !== undefined && /^[#\p{ID_Start}$_]/u.test(token);
export const endsValue = (token: string | undefined): boolean =>
  token !== undefined &&
  (token === ')' ||
    token === ']' ||
    token === '}' ||
    /^["`\d.]./.test(token) ||
    /^\d$/.test(token) ||
    (isWord(token) && !OPERATOR_WORDS.has(token)));

export const OPENING: ReadonlySet<string> = new Set(['(', '[', '{']);
export const CLOSING: ReadonlySet<string> = new Set([')', ']', '}']);

/** The tokens of a function's source: numbers and strings in one form, a template literal whole and as it is. */
export function tokensOf(source: string): string[] {
  const tokens: string[] = [];
  let at = 0;
  const take = (pattern: RegExp): string | null => {
    pattern.lastIndex = at;
    const text = pattern.exec(source)?.[0] ?? null;
    if (text !== null) at += text.length;
    return text;
  };
  while (at < source.length) {
    if (take(SPACE) !== null) continue;
    const word = take(WORD);
    if (word !== null) {
      tokens.push(word);
      continue;
    }
    const number = source[at] === '.' && !/\d/.test(source[at + 1] ?? '') ? null : take(NUMBER);
    if (number !== null) {
      tokens.push(normalNumber(number));
      continue;
    }
    const string = take(STRING);
    if (string !== null) {
      tokens.push(JSON.stringify(cooked(string.slice(1, -1))));
      continue;
    }
    if (source[at] === '`') {
      const end = templateEnd(source, at);
      tokens.push(source.slice(at, end));
      at = end;
      continue;
    }
    if (source[at] === '/' && !endsValue(tokens.at(-1))) {
      const regexp = take(REGEXP);
      if (regexp !== null) {
        tokens.push(regexp);
        continue;
      }
    }
    tokens.push(take(SIGN)!);
  }
  return tokens;
}

function normalNumber(text: string): string {
  const plain = text.replaceAll('_', '');
  return plain.endsWith('n') ? plain : String(Number(plain));
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  b: '\b',
  f: '\f',
  v: '\v',
  '0': '\0',
  '\n': '',
};

const cooked = (text: string): string =>
  text.replace(
    /\\(?:u\{([\da-fA-F]+)\}|u([\da-fA-F]{4})|x([\da-fA-F]{2})|([^]))/g,
    (_, point, unit, byte, plain) =>
      plain !== undefined
        ? (ESCAPES[plain] ?? plain)
        : String.fromCodePoint(parseInt(point ?? unit ?? byte, 16)),
  );

/** The end of the template literal that begins at `start`: expressions in it may hold templates of their own. */
function templateEnd(source: string, start: number): number {
  for (let at = start + 1; at < source.length; at++) {
    if (source[at] === '\\') at++;
    else if (source[at] === '`') return at + 1;
    else if (source[at] === '$' && source[at + 1] === '{') at = expressionEnd(source, at + 2);
  }
  return source.length;
}

/** The end of an expression in a template literal: of the brace that closes it. */
export function expressionEnd(source: string, start: number): number {
  let depth = 1;
  for (let at = start; at < source.length; at++) {
    const unit = source[at]!;
    if (unit === '`') at = templateEnd(source, at) - 1;
    else if (unit === '"' || unit === "'") {
      STRING.lastIndex = at;
      at += (STRING.exec(source)?.[0].length ?? 1) - 1;
    } else if (unit === '{') depth++;
    else if (unit === '}' && --depth === 0) return at;
  }
  return source.length;
}

/** Where what opens here is closed. */
export function closingOf(tokens: readonly string[], open: number): number {
  let depth = 0;
  for (let at = open; at < tokens.length; at++) {
    if (OPENING.has(tokens[at]!)) depth++;
    else if (CLOSING.has(tokens[at]!) && --depth === 0) return at;
  }
  return tokens.length;
}
